#include "merge/buffer_sizes.h"

#include <algorithm>

#include "core/adapters/low_rank.h"
#include "merge/chunk.h"
#include "merge/prepared_deltas.h"
#include "merge/tile_runner.h"

namespace weightsmith {
namespace {

/// The most elements that a list of any task has.
template <class List>
std::size_t Most(const Plan& plan, List Task::*list) {
  std::size_t most = 0;
  for (const Task& task : plan.tasks) most = std::max(most, (task.*list).size());
  return most;
}

}  // namespace

std::size_t MostRegisters(const Plan& plan) {
  std::size_t most = 1;
  for (const Task& task : plan.tasks) {
    most = std::max<std::size_t>(most, task.tape.registers);
    for (const DeltaSource& delta : task.deltas) {
      if (delta.weight) most = std::max<std::size_t>(most, delta.weight->tape.registers);
    }
  }
  return most;
}

std::size_t MostSources(const Plan& plan) {
  return std::max<std::size_t>(1, Most(plan, &Task::sources));
}

std::size_t MostProducts(const Plan& plan) {
  return std::max<std::size_t>(1, Most(plan, &Task::products));
}

std::size_t MostDeltas(const Plan& plan) {
  return Most(plan, &Task::deltas);
}

std::uint64_t DeltaBlock(const Task& task) {
  constexpr std::uint64_t kRows = 4 * LowRank::kRows;
  // A block that stays in the cache from when it is made to when it is added, of some tiles.
  constexpr std::uint64_t kLeast = kPiece / 4;
  constexpr std::uint64_t kMost = 8 * kPiece;
  const std::uint64_t columns = SizeAsMatrix(task.shape).columns;
  if (task.deltas.empty() || columns == 0) return kPiece;
  const std::uint64_t fit = kMost / columns / LowRank::kRows * LowRank::kRows;
  if (fit == 0) return kMost;
  const std::uint64_t rows = std::min(kRows, fit) * columns;
  return (kLeast + rows - 1) / rows * rows;
}

std::uint64_t WorkerBytes(const Plan& plan) {
  std::uint64_t pieces = 0;
  std::uint64_t results = 0;
  std::uint64_t deltas = 0;
  for (const Task& task : plan.tasks) {
    deltas =
        std::max(deltas, BytesOf(task) + task.deltas.size() * DeltaBlock(task) * sizeof(float));
    const Units units = UnitsOf(task);
    std::uint64_t task_pieces = 0;
    std::uint64_t task_results = 0;
    const std::uint64_t chunk = std::min(ChunkUnits(task), units.count);
    for (const Source& source : task.sources) {
      task_pieces += std::min(kPiece, chunk) * units.SizeOf(source.info.dtype);
    }
    for (const Product& product : task.products)
      task_results += chunk * units.SizeOf(product.dtype);
    pieces = std::max(pieces, task_pieces);
    results = std::max(results, task_results);
  }
  const std::uint64_t real = plan.policies.precision == Precision::kF64 ? 8 : 4;
  return pieces + kChunksPerThread * results + deltas + (MostRegisters(plan) + 2) * kTile * real;
}

}  // namespace weightsmith
