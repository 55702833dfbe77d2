#include "merge/run/buffer_sizes.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "merge/adapters/low_rank.h"
#include "merge/run/chunk.h"
#include "merge/run/prepared_deltas.h"
#include "merge/run/tile_runner.h"

namespace weightsmith::internal {
namespace {

/// The most elements that a list of any task has.
template <class List>
std::size_t Most(const Plan& plan, List Task::*list) {
  std::size_t most = 0;
  for (const Task& task : plan.tasks) most = std::max(most, (task.*list).size());
  return most;
}

void Raise(std::uint64_t& size, std::uint64_t needed) {
  size = std::max(size, needed);
}

std::uint64_t Sum(const std::vector<std::uint64_t>& sizes) {
  return std::accumulate(sizes.begin(), sizes.end(), std::uint64_t{0});
}

}  // namespace

std::size_t MostRegisters(const Plan& plan) {
  std::size_t most = 1;
  for (const Task& task : plan.tasks) {
    most = std::max<std::size_t>(most, task.tape.registers);
    for (const Pass& pass : task.passes) {
      most = std::max<std::size_t>(most, pass.tape.registers);
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
  // A buffer is as large as any task needs it, and they do not shrink.
  std::vector<std::uint64_t> pieces(MostSources(plan));
  std::vector<std::uint64_t> results(MostProducts(plan));
  std::vector<std::uint64_t> delta_pieces(MostDeltas(plan));
  std::uint64_t deltas = 0;
  for (const Task& task : plan.tasks) {
    const Units units = UnitsOf(task);
    const std::uint64_t chunk = std::min(ChunkUnits(task), units.count);
    for (std::size_t s = 0; s < task.sources.size(); ++s) {
      Raise(pieces[s], std::min(kPiece, chunk) * units.SizeOf(task.sources[s].info.dtype));
    }
    for (std::size_t p = 0; p < task.products.size(); ++p) {
      const Product& product = task.products[p];
      Raise(results[p],
            product.numbers ? InfoOf(task, product).bytes() : chunk * units.SizeOf(product.dtype));
    }
    const std::uint64_t block = std::max(kPiece, DeltaBlock(task)) * sizeof(float);
    for (std::size_t d = 0; d < task.deltas.size(); ++d) Raise(delta_pieces[d], block);
    // A family may need another block beside the one that it fills.
    if (!task.deltas.empty()) Raise(deltas, (task.passes.empty() ? BytesOf(task) : 0) + block);
  }
  const std::uint64_t real = plan.policies.precision == Precision::kF64 ? 8 : 4;
  return Sum(pieces) + kChunksPerThread * Sum(results) + Sum(delta_pieces) + deltas +
         (MostRegisters(plan) + 2) * kTile * real;
}

}  // namespace weightsmith::internal
