// Components put together into one checkpoint.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "recipes/jobs/rewrite.h"

namespace weightsmith::internal {

/// What parts may be called: components ("clip_l"), and text encoders by their number ("te1").
std::span<const std::string_view> PartNames();
/// Parts whose tensors go in under their own names.
std::span<const std::string_view> LoosePartNames();

/// One file of the architecture, of parts by name. Throws kUsage for an unknown architecture or
/// part, kMismatch for a file that is not the component that it is given as, or not complete.
RewriteJob AssembleJob(const std::string& architecture,
                       const std::map<std::string, std::filesystem::path>& parts,
                       const std::filesystem::path& output);

}  // namespace weightsmith::internal
