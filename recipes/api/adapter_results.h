// What became of adapters, as the public API has it.
#pragma once

#include <weightsmith/plan.h>

#include <vector>

#include "merge/plan/plan.h"
#include "merge/run/report.h"

namespace weightsmith::internal {

/// Of each adapter of the plan; with what its modules did, where there is a report.
std::vector<weightsmith::AdapterResult> AdapterResultsOf(const Plan& plan, const Report* report);

}  // namespace weightsmith::internal
