// What steps did in their methods' own words, as part of the JSON of reports and plans.
#pragma once

#include "merge/run/report.h"
#include "recipes/jobs/record-inl.h"

namespace weightsmith::internal {

template <>
const Record<FindingReport>& RecordOf();

template <>
const Record<TensorFinding>& RecordOf();

}  // namespace weightsmith::internal
