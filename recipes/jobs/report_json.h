// A report as JSON: what `merge --report` writes.
#pragma once

#include <string>

#include "merge/plan/plan.h"
#include "merge/run/report.h"

namespace weightsmith::internal {

/// recipes/schema/report.json describes it.
std::string ReportJson(const Plan& plan, const Report& report);
/// Its schema, without "$schema".
std::string ReportSchema();

}  // namespace weightsmith::internal
