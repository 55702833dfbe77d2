// Every file that a run will read or write, known before any is opened for writing.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "merge/plan/plan.h"
#include "merge/run/executor.h"

namespace weightsmith::internal {

struct TouchedPath {
  std::filesystem::path path;
  std::string role;  ///< "input", "output", "journal"
  bool written = false;
};

/// Inputs, recipes, configurations; outputs, what they are written as until they are complete, the
/// journal, indexes, configurations, the report.
std::vector<TouchedPath> TouchedPaths(const Plan& plan, const RunOptions& options);

/// What a run refuses before it changes anything, which `plan` and `validate` report as well.
/// Throws kUsage where a file that would be written is one that is read or written already (by
/// identity, whatever the spelling of its path), where a file exists that may not be replaced, is
/// no regular file, or has no folder.
void CheckPaths(const Plan& plan, const RunOptions& options);

/// For outputs that are a folder, which the run makes: throws kUsage where the folder that it is to
/// lie in does not exist and is not to be made.
void ExpectFolderAbove(const std::filesystem::path& folder, const RunOptions& options);

}  // namespace weightsmith::internal
