// A plan as the public API has it.
#pragma once

#include <weightsmith/plan.h>

#include "merge/run/executor.h"
#include "recipes/jobs/prepared_plan.h"

namespace weightsmith::internal {

weightsmith::Plan PlanResultOf(const PreparedPlan& prepared, const RunOptions& options);

}  // namespace weightsmith::internal
