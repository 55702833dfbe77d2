// Numbers of rows that are computed as soon as a row is complete. A tensor may have almost as many
// rows as elements (those of kernels of 3x3), and its numbers are made of several others: only what
// is read later is kept of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "merge/plan/plan.h"

namespace weightsmith::internal {

/// What a pass computes of the rows of one grid, but for numbers that have to wait for the end of
/// the pass, and what is computed of those.
struct RowNumbers {
  Grid cells{};
  std::vector<std::size_t> reductions{};  ///< of the pass, by index
  std::vector<std::size_t> scalars{};     ///< likewise, in their order
  std::vector<Slot> filled{};             ///< by those and then by these
  std::vector<Slot> stored{};             ///< of which these are read later
};

/// Each grid of rows that the pass has reductions of, unless it is one row alone.
std::vector<RowNumbers> RowNumbersOf(const Task& task, std::size_t pass);

/// Computes numbers of consecutive rows, `first` and those behind it, from what the reductions gave
/// for them, in the order of RowNumbers::reductions. REQUIRES: the stored slots have a place for
/// each cell.
void EvaluateRows(const Pass& pass, const RowNumbers& rows, std::uint64_t first,
                  std::span<const std::span<const double>> reduced, SlotValues& slots);

/// Bytes that a thread holds of a block of the tensor while it computes that.
std::uint64_t RowBytesOfBlock(const Task& task);

}  // namespace weightsmith::internal
