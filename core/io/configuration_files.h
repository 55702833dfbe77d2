// The files beside weights in a model's folder: configurations, tokenizers.
#pragma once

#include <filesystem>

namespace weightsmith {

/// Copies every file of a folder that holds no weights, subfolders not included; what stands in the
/// target already is left as it is. Throws kFailed.
void CopyConfiguration(const std::filesystem::path& from, const std::filesystem::path& to);

/// The same of every subfolder, as a pipeline has them.
void CopyPipelineConfiguration(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace weightsmith
