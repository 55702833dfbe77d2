#include "merge/plan/task_order.h"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <utility>

namespace weightsmith::internal {

void SortBySource(std::vector<Task>& tasks) {
  // A task is much to move: pointers are sorted in its place.
  std::vector<Task*> order;
  for (Task& task : tasks) order.push_back(&task);
  std::ranges::sort(order, {}, [](const Task* task) {
    const Source* const first = task->sources.empty() ? nullptr : &task->sources.front();
    return std::tuple(first == nullptr ? 0 : first->file, first == nullptr ? 0 : first->offset,
                      std::string_view(task->name));
  });
  std::vector<Task> sorted;
  sorted.reserve(tasks.size());
  for (Task* const task : order) sorted.push_back(std::move(*task));
  tasks = std::move(sorted);
}

}  // namespace weightsmith::internal
