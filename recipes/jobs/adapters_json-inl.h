// What became of adapters, as part of the JSON of a plan or a report.
#pragma once

#include "merge/plan/plan.h"
#include "merge/run/report.h"
#include "recipes/jobs/json-inl.h"

namespace weightsmith::internal {

/// Of every adapter: its classes and modules, with what they did where there is a report.
Json AdaptersJson(const Plan& plan, const Report* report);

}  // namespace weightsmith::internal
