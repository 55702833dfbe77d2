// Whether a checkpoint is what it says it is, and what its recipe makes of its inputs.
#pragma once

#include <weightsmith/run.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace weightsmith {

struct VerifyOptions {
  /// Folders in which inputs are looked for by size and digest, each with all below it, and after
  /// them the folder of the file.
  std::vector<std::filesystem::path> models{};
  /// Files of inputs by the recipe's name of them, which are not looked for.
  std::map<std::string, std::filesystem::path> model{};
  bool recompute = true;  ///< false: check the file alone
};

/// What a file was checked for, and what was found.
struct Verification {
  std::filesystem::path path;
  bool right = false;                 ///< there are no problems
  std::vector<std::string> checked;   ///< "structure", "finite values", "digest", "recomputed"
  bool recipe = false;                ///< one is recorded in the file
  std::vector<std::string> problems;  ///< several lines, where tensors are named
  int status = 0;                     ///< as the program exits: 0, or 7 where something differs
};

/// Reads the file once, and its inputs once where its recipe is recorded; writes nothing. What
/// differs is in the result and is not thrown. `run`: threads, progress in the phases "reading",
/// "finding inputs" and "recomputing", and cancel. Throws kInput for a file that is malformed and
/// for an input that is not found, kUsage for a name that the recipe does not have.
[[nodiscard]] Verification Verify(const std::filesystem::path& path,
                                  const VerifyOptions& options = {}, const RunOptions& run = {});

}  // namespace weightsmith
