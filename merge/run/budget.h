// The memory that a run holds, known from its plan, and its division between threads and caches:
// what a budget promises is checked before anything is written.
#pragma once

#include <cstdint>

#include "merge/plan/plan.h"

namespace weightsmith::internal {

struct RunOptions;

/// What a run may use.
struct MemoryShare {
  int threads = 1;
  std::uint64_t delta_cache = 0;  ///< bytes of adapters' deltas that are kept for several chunks
  std::uint64_t states = 0;       ///< bytes that tasks of several passes hold together
};

/// Bytes that a run with this share holds, at most, and beside it `more` of its caller's.
std::uint64_t MemoryOf(const Plan& plan, const MemoryShare& share, std::uint64_t more = 0);

/// The largest share within the budget, threads first. Throws kResources, naming the least budget
/// that would do, where even one thread exceeds it.
MemoryShare AffordMemory(const Plan& plan, const RunOptions& options, std::uint64_t more = 0);

}  // namespace weightsmith::internal
