// The order of a plan's tasks.
#pragma once

#include <vector>

#include "merge/plan/plan.h"

namespace weightsmith::internal {

/// In the order in which their first sources lie in files.
void SortBySource(std::vector<Task>& tasks);

}  // namespace weightsmith::internal
