// Names of outputs where the command line gives none: made of what the output is, in the working
// directory. A name that is taken is refused as any other is.
#pragma once

#include <filesystem>
#include <string>

#include "recipes/jobs/convert.h"

namespace weightsmith::internal {

/// "model.safetensors" of model.ckpt, "model-pruned-f16.safetensors", the folder
/// "model-diffusers"; "model-converted.safetensors" where nothing else tells it from its input.
std::filesystem::path ConvertedName(const ConvertRequest& request);

/// The folder "model-parts".
std::filesystem::path PartsName(const std::filesystem::path& model);

/// "sdxl-assembled.safetensors".
std::filesystem::path AssembledName(const std::string& architecture);

}  // namespace weightsmith::internal
