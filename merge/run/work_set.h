// Which tasks of a plan a run computes.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "merge/plan/plan.h"

namespace weightsmith::internal {

/// One of several runs that share a plan.
struct RunPart {
  std::uint32_t number = 1;  ///< from 1
  std::uint32_t count = 1;
};

/// The tasks of a part, in their order: a run of about as many bytes as every other part has.
/// Together parts 1 to `count` have each task once. Nothing: all tasks.
std::vector<std::uint32_t> TasksOf(const Plan& plan, const std::optional<RunPart>& part);

}  // namespace weightsmith::internal
