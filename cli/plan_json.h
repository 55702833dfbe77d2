// A plan as JSON: what `plan --json` prints.
#pragma once

#include "cli/json.h"
#include "merge/executor.h"
#include "merge/plan.h"

namespace weightsmith {

Json ToJson(const Plan& plan, const RunOptions& options);

}  // namespace weightsmith
