#include "merge/run/buffer_sizes.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "merge/adapters/low_rank.h"
#include "merge/run/chunk.h"
#include "merge/run/prepared_deltas.h"
#include "merge/run/row_numbers.h"
#include "merge/run/row_window.h"
#include "merge/run/tile_runner.h"

namespace weightsmith::internal {
namespace {

/// A slice of all products together, at most, where it is more than a piece.
constexpr std::uint64_t kSliceBytes = 4 << 20;

void Raise(std::uint64_t& size, std::uint64_t needed) {
  size = std::max(size, needed);
}

std::uint64_t Sum(const std::vector<std::uint64_t>& sizes) {
  return std::accumulate(sizes.begin(), sizes.end(), std::uint64_t{0});
}

/// Whether groups of elements are looked at, which are counted from the beginning of a tile.
bool LooksAtGroups(const Task& task) {
  return std::ranges::any_of(task.tape.instructions, [](const Instruction& instruction) {
    return instruction.code == OpCode::kKeepLargest;
  });
}

/// Of functions of whole tensors, while a thread computes a part of one.
std::uint64_t PartBytes(const Task& task) {
  std::uint64_t most = 0;
  for (const Pass& pass : task.passes) {
    for (const Transform& transform : pass.transforms) {
      Raise(most, transform.call->BytesOfPart(task.shape, transform.in.size()));
    }
  }
  return most;
}

}  // namespace

BufferCounts CountBuffers(const Plan& plan) {
  BufferCounts most;
  for (const Task& task : plan.tasks) {
    most.registers = std::max<std::size_t>(most.registers, task.tape.registers);
    most.registers = std::max<std::size_t>(most.registers, task.findings.tape.registers);
    for (const RowValue& rows : task.rows) {
      most.registers = std::max<std::size_t>(most.registers, rows.tape.registers);
    }
    for (const Pass& pass : task.passes) {
      most.registers = std::max<std::size_t>(most.registers, pass.tape.registers);
    }
    most.sources = std::max(most.sources, task.sources.size());
    most.products = std::max(most.products, task.products.size());
    most.deltas = std::max(most.deltas, task.deltas.size());
  }
  return most;
}

std::uint64_t SliceUnits(const Task& task) {
  const Units units = UnitsOf(task);
  std::uint64_t each = 0;
  for (const Product& product : task.products) {
    if (!product.numbers) each += units.SizeOf(product.dtype);
  }
  const std::uint64_t chunk = ChunkUnits(task);
  if (chunk * each <= kSliceBytes) return chunk;
  return std::max<std::uint64_t>(1, kSliceBytes / (each * kPiece)) * kPiece;
}

std::uint64_t DeltaBlock(const Task& task) {
  constexpr std::uint64_t kRows = 4 * LowRank::kRows;
  // A block that stays in the cache from when it is made to when it is added, of some tiles.
  constexpr std::uint64_t kLeast = kPiece / 4;
  constexpr std::uint64_t kMost = 8 * kPiece;
  const std::uint64_t columns = SizeAsMatrix(task.shape).columns;
  if (task.deltas.empty() || columns == 0 || LooksAtGroups(task)) return kPiece;
  const std::uint64_t fit = kMost / columns / LowRank::kRows * LowRank::kRows;
  if (fit == 0) return kMost;
  const std::uint64_t rows = std::min(kRows, fit) * columns;
  return (kLeast + rows - 1) / rows * rows;
}

std::uint64_t WorkerBytes(const Plan& plan) {
  // A buffer is as large as any task needs it, and they do not shrink.
  const BufferCounts most = CountBuffers(plan);
  std::vector<std::uint64_t> pieces(most.sources);
  std::vector<std::uint64_t> results(most.products);
  std::vector<std::uint64_t> delta_pieces(most.deltas);
  std::uint64_t deltas = 0;
  std::uint64_t rows = 0;
  std::uint64_t windows = 0;
  std::uint64_t parts = 0;
  for (const Task& task : plan.tasks) {
    const Units units = UnitsOf(task);
    const std::uint64_t piece = std::min(kPiece, units.count);
    const std::uint64_t slice = std::min(SliceUnits(task), units.count);
    for (std::size_t s = 0; s < task.sources.size(); ++s) {
      Raise(pieces[s], piece * units.SizeOf(task.sources[s].info.dtype));
    }
    for (std::size_t p = 0; p < task.products.size(); ++p) {
      const Product& product = task.products[p];
      Raise(results[p],
            product.numbers ? InfoOf(task, product).bytes() : slice * units.SizeOf(product.dtype));
    }
    Raise(rows, RowBytesOfBlock(task));
    Raise(windows, RowWindowBytes(task));
    Raise(parts, PartBytes(task));
    const std::uint64_t block = std::max(kPiece, DeltaBlock(task)) * sizeof(float);
    for (std::size_t d = 0; d < task.deltas.size(); ++d) Raise(delta_pieces[d], block);
    // A family may need another block beside the one that it fills.
    if (!task.deltas.empty()) Raise(deltas, (task.passes.empty() ? BytesOf(task) : 0) + block);
  }
  const std::uint64_t real = plan.policies.precision == Precision::kF64 ? 8 : 4;
  return Sum(pieces) + kChunksPerThread * Sum(results) + Sum(delta_pieces) + deltas + rows +
         windows + parts + (most.registers + 2) * kTile * real;
}

}  // namespace weightsmith::internal
