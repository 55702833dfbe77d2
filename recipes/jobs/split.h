// A checkpoint taken apart: each component a file of its own.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "recipes/jobs/rewrite.h"

namespace weightsmith::internal {

/// Files named as `info` names components, in the form in which loaders take them; of the
/// `components` alone (component_choice.h), or of all where there are none. Throws kMismatch for a
/// file without known components, or without one of these.
RewriteJob SplitJob(const std::filesystem::path& path, const std::filesystem::path& folder,
                    const std::vector<std::string>& components = {});

}  // namespace weightsmith::internal
