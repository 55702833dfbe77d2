// The files beside weights in a model's folder: configurations, tokenizers.
#pragma once

#include <filesystem>
#include <vector>

#include "core/io/output_target.h"

namespace weightsmith::internal {

struct FileCopy {
  std::filesystem::path from;
  std::filesystem::path to;
};

/// Copies to `to` of every file of a folder that holds no weights, subfolders not included. Throws
/// kInput for a folder that cannot be read.
std::vector<FileCopy> Configuration(const std::filesystem::path& from,
                                    const std::filesystem::path& to);

/// The same of every subfolder, as a pipeline has them.
std::vector<FileCopy> PipelineConfiguration(const std::filesystem::path& from,
                                            const std::filesystem::path& to);

/// Makes a copy that appears complete or not at all; a file that is there already is left as it is.
void CopyFile(const FileCopy& copy, const OutputOptions& options);

}  // namespace weightsmith::internal
