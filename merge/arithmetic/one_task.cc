#include "merge/arithmetic/one_task.h"

#include <algorithm>
#include <cmath>

namespace weightsmith::internal {

ParameterSpec TaskParameter() {
  return {.name = "task",
          .optional = true,
          .low = 1,
          .high = 1000,
          .doc = "The model of the list, counted from 1, that the result is for."};
}

std::string CheckTask(const ArgumentsGiven& given) {
  const auto task = given.numbers.find("task");
  if (task == given.numbers.end() || std::isnan(task->second)) return "";
  if (task->second != std::floor(task->second)) return "`task` is the number of a model: 1, 2, …";
  if (task->second <= static_cast<double>(given.list)) return "";
  return "`task` is more than there are models in `of`";
}

std::optional<std::size_t> TaskOf(const Arguments& given) {
  const std::optional<double> task = given.parameters.NumberIfGiven("task");
  if (!task) return std::nullopt;
  const auto number = static_cast<std::size_t>(std::max(*task, 1.0));
  return std::min(number, given.list.size()) - 1;
}

}  // namespace weightsmith::internal
