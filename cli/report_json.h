// A report as JSON: what `merge --report` writes.
#pragma once

#include "cli/json.h"
#include "merge/plan.h"
#include "merge/report.h"

namespace weightsmith {

Json ToJson(const Plan& plan, const Report& report);

}  // namespace weightsmith
