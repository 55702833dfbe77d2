// What a run learned of one task.
#pragma once

#include <cstdint>
#include <vector>

#include "core/io/hash.h"
#include "merge/program/finding.h"
#include "merge/program/tape.h"

namespace weightsmith::internal {

/// Of a finished task; chunks folded in their order.
struct TaskResult {
  std::vector<Digest> sources;  ///< of the stored tensors; empty without digests
  std::vector<Digest> products;
  std::vector<Effect> effects;  ///< parallel to the task's probes
  std::vector<Found> found;     ///< parallel to its findings; empty without effects
  std::uint64_t non_finite = 0;
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_written = 0;
  std::vector<double> numbers{};   ///< of a task of a survey
  std::vector<double> gathered{};  ///< likewise: numbers of its first passes
};

struct FinishedTask {
  std::uint32_t task = 0;  ///< index in Plan::tasks
  TaskResult result;
};

}  // namespace weightsmith::internal
