// The unit of work: a range of one task that reads and writes whole digest blocks, so that chunks
// are independent of each other and of who computes them.
#pragma once

#include <cstdint>
#include <vector>

#include "core/io/hash.h"
#include "merge/plan/plan.h"
#include "merge/run/buffer.h"

namespace weightsmith::internal {

struct Chunk {
  std::uint32_t task = 0;
  std::uint64_t first = 0;  ///< units, see UnitsOf
  std::uint64_t count = 0;

  bool operator==(const Chunk&) const = default;
};

/// What a task is counted in: elements, or bytes where its dtype has elements below a byte (such
/// tensors are only copied).
struct Units {
  std::uint64_t count = 0;
  bool bytes = false;

  std::uint64_t SizeOf(DType dtype) const { return bytes ? 1 : Info(dtype).bits / 8; }
};
Units UnitsOf(const Task& task);

/// Units of a chunk of the task: the fewest that fill a digest block of each source and product.
std::uint64_t ChunkUnits(const Task& task);

/// How many chunks the task has in each pass: at least one.
std::uint64_t ChunkCount(const Task& task);

/// Chunk `index` of the task.
Chunk ChunkOf(const Plan& plan, std::uint32_t task, std::uint64_t index);

/// Results of some units of a task on their way to the outputs: those of all its products.
struct Slice {
  std::uint32_t task = 0;
  std::uint64_t first = 0;      ///< units
  std::vector<Buffer> bytes{};  ///< by product; empty: nothing is to be written
};

/// What was found while a chunk was computed.
struct ChunkResult {
  Chunk chunk;
  std::vector<std::vector<Digest>> source_blocks{};   ///< parallel to the task's sources
  std::vector<std::vector<Digest>> product_blocks{};  ///< parallel to its products
  std::vector<Effect> effects{};                      ///< parallel to its probes
  std::vector<Found> found{};                         ///< parallel to its findings
  std::uint64_t non_finite = 0;  ///< results that left the dtype's range though operands are finite
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_written = 0;  ///< or that would have been
  Slice slice{};                    ///< what is still to be written
  std::vector<double> numbers{};    ///< of a task of a survey
  std::vector<double> gathered{};   ///< likewise: what TaskState::Gathered gives
};

}  // namespace weightsmith::internal
