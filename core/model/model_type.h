// What a config.json of transformers says the model beside it is.
#pragma once

#include <filesystem>
#include <string>

namespace weightsmith::internal {

/// The "model_type" of the config.json in the checkpoint's folder: "llama", "mistral". Empty where
/// there is none that can be read.
std::string ModelType(const std::filesystem::path& checkpoint);

}  // namespace weightsmith::internal
