#include "merge/run/work_set.h"

#include <algorithm>

#include "merge/program/tape.h"

namespace weightsmith::internal {
namespace {

/// What a task costs: the bytes that it reads and writes, and something for itself.
std::uint64_t CostOf(const Task& task) {
  constexpr std::uint64_t kOwn = 4096;
  std::uint64_t bytes = kOwn;
  for (const Source& source : task.sources) bytes += source.info.bytes();
  for (const Product& product : task.products) bytes += InfoOf(task, product).bytes();
  return bytes;
}

/// The same number for every tensor that is computed.
std::uint64_t TilesOfEach(const Plan& plan, std::uint64_t budget) {
  std::uint64_t sources = 0;
  for (const Task& task : plan.tasks) sources += task.tape.probes.empty() ? 0 : task.sources.size();
  return std::max<std::uint64_t>(1, budget / std::max<std::uint64_t>(1, sources) / (2 * kTile));
}

}  // namespace

WorkSet TasksOf(const Plan& plan, const std::optional<RunPart>& part) {
  std::uint64_t all = 0;
  for (const Task& task : plan.tasks) all += CostOf(task);
  const RunPart own = part.value_or(RunPart{});
  WorkSet work;
  std::uint64_t before = 0;
  for (std::uint32_t t = 0; t < plan.tasks.size(); ++t) {
    // A task belongs to the part in which it begins.
    if (before * own.count / all + 1 == own.number) work.push_back({t});
    before += CostOf(plan.tasks[t]);
  }
  return work;
}

WorkSet WholeTasks(std::span<const std::uint32_t> tasks) {
  WorkSet work;
  work.reserve(tasks.size());
  for (const std::uint32_t task : tasks) work.push_back({task});
  return work;
}

SampleWork SampleOf(const Plan& plan, std::uint64_t budget) {
  const std::uint64_t elements = TilesOfEach(plan, budget) * kTile;
  // What needs all of a tensor is seen in small ones.
  const std::uint64_t small = std::max<std::uint64_t>(elements, 1 << 14);
  // Factors are read whole for any part of what they make.
  constexpr std::size_t kMostWithDeltas = 16;
  std::size_t with_deltas = 0;
  SampleWork sample;
  std::uint64_t seen = 0;
  std::uint64_t all = 0;
  for (std::uint32_t t = 0; t < plan.tasks.size(); ++t) {
    const Task& task = plan.tasks[t];
    if (task.tape.probes.empty()) continue;
    if (!task.deltas.empty() && ++with_deltas > kMostWithDeltas) continue;
    if (!task.passes.empty() && task.elements > small) continue;
    if (!task.given.empty()) continue;  // needs all tensors
    all += task.elements;
    if (!task.passes.empty()) {
      sample.work.push_back({t});
      seen += task.elements;
      continue;
    }
    const std::uint64_t count = std::min({elements, task.elements, ChunkUnits(task)});
    sample.work.push_back({t, Chunk{t, 0, count}});
    seen += count;
  }
  if (all > 0) sample.share = static_cast<double>(seen) / static_cast<double>(all);
  return sample;
}

}  // namespace weightsmith::internal
