// What a plan's products would be, told by their digests: nothing is written.
#pragma once

#include <vector>

#include "merge/executor.h"
#include "merge/journal.h"
#include "merge/plan.h"

namespace weightsmith {

/// Computes every tensor of the plan, as Run does, and keeps the digests of what it read and would
/// have written; effects stay zero. Parallel to Plan::tasks. Takes threads, io, progress (bytes
/// that a run would have written) and cancel from the options. Throws as Run does for inputs that
/// cannot be read, kInterrupted when stopped.
std::vector<TaskResult> Recompute(const Plan& plan, const RunOptions& options);

}  // namespace weightsmith
