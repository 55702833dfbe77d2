// Whether a checkpoint is what it says it is, and what its recipe makes of its inputs.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "merge/executor.h"

namespace weightsmith {

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
};

/// Reads the file once, and its inputs once where its recipe is recorded; nothing is written.
/// `phase` is told what begins: "reading", "recomputing". Throws kInput for an input that is not
/// found, kVerification for one that is another file than the recorded one.
Verification Verify(const VerifyRequest& request, const RunOptions& options,
                    const std::function<void(std::string_view)>& phase);

/// What `verify --json` prints.
std::string VerificationJson(const Verification& found);

}  // namespace weightsmith
