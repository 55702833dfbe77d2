// How large the buffers of a run are, known from its plan.
#pragma once

#include <cstddef>
#include <cstdint>

#include "merge/plan/plan.h"

namespace weightsmith::internal {

/// Chunks on their way for each thread: computed, waiting for the file, written.
inline constexpr std::size_t kChunksPerThread = 3;

/// The most that any task of a plan has of what workers have buffers for; but for deltas at least
/// one.
struct BufferCounts {
  std::size_t registers = 1;
  std::size_t sources = 1;
  std::size_t products = 1;
  std::size_t deltas = 0;
};
BufferCounts CountBuffers(const Plan& plan);

/// Units of the task whose results are held at once, a multiple of kPiece: a chunk, unless its
/// products take more than some MB together.
std::uint64_t SliceUnits(const Task& task);

/// Elements of deltas that are made at a time: whole rows, of which kernels like to have some,
/// since every part of an adapter's second factor is loaded once for all of them. Whole tiles where
/// the task looks at groups of elements.
std::uint64_t DeltaBlock(const Task& task);

/// Bytes of buffers that a worker and the writer hold for this plan, at most, for each thread.
std::uint64_t WorkerBytes(const Plan& plan);

}  // namespace weightsmith::internal
