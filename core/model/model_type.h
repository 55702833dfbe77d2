// What a config.json of transformers says the model beside it is.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace weightsmith::internal {

struct ModelConfiguration {
  std::string type{};           ///< "model_type": "llama", "mistral"; empty where it is not said
  std::uint64_t head_size = 0;  ///< rows of a head of attention; 0 where it is not said
};

/// Of the config.json in the checkpoint's folder; nothing is said where there is none that can be
/// read.
ModelConfiguration ConfigurationOf(const std::filesystem::path& checkpoint);

}  // namespace weightsmith::internal
