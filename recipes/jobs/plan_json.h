// A plan as JSON: what `plan --json` prints.
#pragma once

#include <string>

#include "merge/plan/plan.h"
#include "merge/run/executor.h"

namespace weightsmith::internal {

/// recipes/schema/plan.json describes it. A sample adds what steps found in it.
std::string PlanJson(const Plan& plan, const RunOptions& options, const Report* sample = nullptr);
/// Its schema, without "$schema".
std::string PlanSchema();

}  // namespace weightsmith::internal
