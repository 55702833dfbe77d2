// Whether a checkpoint is what it says it is, and what its recipe makes of its inputs.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "merge/run/executor.h"

namespace weightsmith::internal {

struct VerifyRequest {
  std::filesystem::path path;
  /// Inputs are looked for here, each with all below it, and beside the file.
  std::vector<std::filesystem::path> model_folders;
  std::map<std::string, std::filesystem::path> models;  ///< by the recipe's name of it
  bool recompute = true;
};

struct Verification {
  std::filesystem::path path;
  std::vector<std::string> checked;   ///< "structure", "finite values", "digest", "recomputed"
  std::vector<std::string> problems;  ///< several lines, where tensors are named
  bool recipe = false;                ///< one is recorded
  bool wrong_inputs = false;          ///< files of inputs are others than the recorded ones
};

/// Reads the file once, and its inputs once where its recipe is recorded, those of which several
/// could be meant once more; nothing is written. `phase` is called with what begins: "reading",
/// "finding inputs", "recomputing". `found` is what was found so far, also where this throws:
/// kInput for an input that is not found, kUsage for one that the recipe does not have.
void Verify(const VerifyRequest& request, const RunOptions& options,
            const std::function<void(std::string_view)>& phase, Verification& found);

/// What the problems come to. REQUIRES: there are some.
Error VerificationError(const Verification& found);

}  // namespace weightsmith::internal
