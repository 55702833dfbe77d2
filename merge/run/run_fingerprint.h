// What makes two runs the same: they give the same bytes, task by task.
#pragma once

#include <string>

#include "core/io/hash.h"
#include "merge/plan/plan.h"

namespace weightsmith::internal {

struct RunFingerprint {
  Digest program;  ///< version and build
  Digest plan;     ///< every number of every task, adapters and headers of outputs included
  Digest inputs;   ///< files by device, inode, size and times; bytes that are in memory by content
  Digest outputs;  ///< their paths

  bool operator==(const RunFingerprint&) const = default;
};

/// `effects` is whether what the steps change is measured.
RunFingerprint FingerprintOf(const Plan& plan, bool effects);

/// What differs, in words: "the recipe has changed". REQUIRES: something does.
std::string DifferenceOf(const RunFingerprint& before, const RunFingerprint& now);

}  // namespace weightsmith::internal
