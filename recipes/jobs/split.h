// A checkpoint taken apart: each component a file of its own.
#pragma once

#include <filesystem>

#include "recipes/jobs/rewrite.h"

namespace weightsmith {

/// Files named as `info` names components, in the form in which loaders take them. Throws
/// kMismatch for a file without known components.
RewriteJob SplitJob(const std::filesystem::path& path, const std::filesystem::path& folder);

}  // namespace weightsmith
