// What a plan's products would be, told by their digests: nothing is written.
#pragma once

#include <vector>

#include "core/io/hash.h"
#include "merge/executor.h"
#include "merge/plan.h"

namespace weightsmith {

struct RecomputedTask {
  std::vector<Digest> sources;   ///< parallel to the task's sources
  std::vector<Digest> products;  ///< parallel to its products
};

/// Computes every tensor of the plan, as Run does, and keeps digests alone; parallel to
/// Plan::tasks. Takes threads, io, progress (bytes that a run would have written) and cancel from
/// the options. Throws as Run does for inputs that cannot be read, kInterrupted when stopped.
std::vector<RecomputedTask> Recompute(const Plan& plan, const RunOptions& options);

}  // namespace weightsmith
