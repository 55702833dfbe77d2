// What steps and adapters changed, as part of the JSON of a report.
#pragma once

#include <optional>

#include "merge/program/tape.h"
#include "recipes/jobs/record-inl.h"

namespace weightsmith::internal {

/// Norms of it; the relative one is nothing where there was nothing before.
std::optional<double> ChangeNorm(const Effect& effect);
std::optional<double> RelativeChange(const Effect& effect);

template <>
const Record<Effect>& RecordOf();

}  // namespace weightsmith::internal
