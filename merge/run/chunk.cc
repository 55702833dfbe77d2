#include "merge/run/chunk.h"
#include "core/tensor/digest.h"

#include <algorithm>

namespace weightsmith {

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
    smallest = std::min(smallest, units.SizeOf(product.dtype));
  }
  return kDigestBlock / smallest;
}

bool ChunkWalk::Next(Chunk& chunk) {
  if (task_ >= plan_->tasks.size()) return false;
  const Task& task = plan_->tasks[task_];
  const std::uint64_t units = UnitsOf(task).count;
  const std::uint64_t most = task.whole() ? units : ChunkUnits(task);
  chunk = {task_, at_, std::min(most, units - at_), false};
  at_ += chunk.count;
  if (at_ == units) {
    chunk.last = true;
    ++task_;
    at_ = 0;
  }
  return true;
}

}  // namespace weightsmith
