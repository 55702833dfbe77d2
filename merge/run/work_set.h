// What of a plan is computed: all of it, a part of a run that is divided, what one tensor needs, a
// sample.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "merge/plan/plan.h"
#include "merge/run/chunk.h"

namespace weightsmith::internal {

/// What is computed of one task.
struct TaskWork {
  std::uint32_t task = 0;  ///< index in Plan::tasks
  /// Nothing: all of it. Else units inside of one of its chunks; the task has one pass.
  std::optional<Chunk> only{};

  bool operator==(const TaskWork&) const = default;
};

/// In this order, as far as possible.
using WorkSet = std::vector<TaskWork>;

/// One of several runs that share a plan.
struct RunPart {
  std::uint32_t number = 1;  ///< from 1
  std::uint32_t count = 1;
};

/// The tasks of a part, in their order: a run of about as many bytes as every other part has.
/// Together parts 1 to `count` have each task once. Nothing: all tasks.
WorkSet TasksOf(const Plan& plan, const std::optional<RunPart>& part);

/// All of these tasks.
WorkSet WholeTasks(std::span<const std::uint32_t> tasks);

/// Tiles from the start of every tensor that a step changes.
struct SampleWork {
  WorkSet work;
  double share = 1;  ///< of the elements of those tensors
};
/// Of about `budget` bytes to read, the same for a plan whenever it is asked. A tensor of several
/// passes is in it where it is small.
SampleWork SampleOf(const Plan& plan, std::uint64_t budget);

}  // namespace weightsmith::internal
