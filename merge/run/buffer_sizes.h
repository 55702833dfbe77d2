// How large the buffers of a run are, known from its plan.
#pragma once

#include <cstddef>
#include <cstdint>

#include "merge/plan/plan.h"

namespace weightsmith::internal {

/// Chunks on their way for each thread: computed, waiting for the file, written.
inline constexpr std::size_t kChunksPerThread = 3;

/// Of any task of the plan; but for deltas at least one.
std::size_t MostRegisters(const Plan& plan);
std::size_t MostSources(const Plan& plan);
std::size_t MostProducts(const Plan& plan);
std::size_t MostDeltas(const Plan& plan);

/// Elements of deltas that are made at a time: whole rows, of which kernels like to have some,
/// since every part of an adapter's second factor is loaded once for all of them.
std::uint64_t DeltaBlock(const Task& task);

/// Bytes of buffers that a worker and the writer hold for this plan, at most, for each thread.
std::uint64_t WorkerBytes(const Plan& plan);

}  // namespace weightsmith::internal
