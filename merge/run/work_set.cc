#include "merge/run/work_set.h"

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

}  // namespace

std::vector<std::uint32_t> TasksOf(const Plan& plan, const std::optional<RunPart>& part) {
  std::uint64_t all = 0;
  for (const Task& task : plan.tasks) all += CostOf(task);
  const RunPart own = part.value_or(RunPart{});
  std::vector<std::uint32_t> tasks;
  std::uint64_t before = 0;
  for (std::uint32_t t = 0; t < plan.tasks.size(); ++t) {
    // A task belongs to the part in which it begins.
    if (before * own.count / all + 1 == own.number) tasks.push_back(t);
    before += CostOf(plan.tasks[t]);
  }
  return tasks;
}

}  // namespace weightsmith::internal
