// A report as JSON: what `merge --report` writes.
#pragma once

#include <string>

#include "merge/plan.h"
#include "merge/report.h"

namespace weightsmith {

/// recipes/schema/report.json describes it.
std::string ReportJson(const Plan& plan, const Report& report);

}  // namespace weightsmith
