// What became of adapters, for people.
#pragma once

#include <string>

#include "merge/plan/plan.h"
#include "merge/run/report.h"

namespace weightsmith::internal {

/// A line for each class of each adapter: "elsewhere: 72 modules for clip_l".
std::string AdapterClassLines(const Plan& plan);

/// A line for each module that is applied: where to, and the numbers of it.
std::string AppliedTable(const Plan& plan);

/// "722 modules applied, 99.8 % of elements changed, …", in the order of the plan's models.
std::string AdapterReportLines(const Plan& plan, const Report& report);

}  // namespace weightsmith::internal
