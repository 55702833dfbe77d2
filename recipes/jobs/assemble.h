// Components put together into one checkpoint.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "recipes/assembly.h"
#include "recipes/jobs/rewrite.h"

namespace weightsmith::internal {

/// One file of the architecture, of parts by name. Throws kUsage for an unknown architecture or
/// part, kMismatch for a file that is not the component that it is given as, or not complete.
RewriteJob AssembleJob(const std::string& architecture,
                       const std::map<std::string, std::filesystem::path>& parts,
                       const std::filesystem::path& output);

}  // namespace weightsmith::internal
