#include "merge/run/chunk.h"
#include "core/tensor/digest.h"

#include <algorithm>

namespace weightsmith::internal {

Units UnitsOf(const Task& task) {
  for (const Source& source : task.sources) {
    if (Info(source.info.dtype).bits < 8) return {source.info.bytes(), true};
  }
  return {task.elements, false};
}

std::uint64_t ChunkUnits(const Task& task) {
  const Units units = UnitsOf(task);
  std::uint64_t smallest = 8;
  for (const Source& source : task.sources) {
    smallest = std::min(smallest, units.SizeOf(source.info.dtype));
  }
  for (const Product& product : task.products) {
    if (product.numbers) continue;
    smallest = std::min(smallest, units.SizeOf(product.dtype));
  }
  return kDigestBlock / smallest;
}

std::uint64_t ChunkCount(const Task& task) {
  const std::uint64_t most = ChunkUnits(task);
  return std::max<std::uint64_t>(1, (UnitsOf(task).count + most - 1) / most);
}

Chunk ChunkOf(const Plan& plan, std::uint32_t task, std::uint64_t index) {
  const std::uint64_t most = ChunkUnits(plan.tasks[task]);
  const std::uint64_t first = index * most;
  return {task, first, std::min(most, UnitsOf(plan.tasks[task]).count - first)};
}

}  // namespace weightsmith::internal
