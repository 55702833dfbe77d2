// A report as the public API has it.
#pragma once

#include <weightsmith/report.h>

#include "merge/run/report.h"
#include "recipes/jobs/prepared_plan.h"

namespace weightsmith::internal {

/// REQUIRES: `report` is of a run of `prepared`.
weightsmith::Report ReportResultOf(const PreparedPlan& prepared, const Report& report);

}  // namespace weightsmith::internal
