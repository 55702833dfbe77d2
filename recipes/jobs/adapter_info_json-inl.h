// What an adapter is, as part of the JSON of a checkpoint.
#pragma once

#include "recipes/jobs/adapter_info.h"
#include "recipes/jobs/json-inl.h"

namespace weightsmith::internal {

/// Counts of its modules, and the architectures that it was made for.
Json SummaryJson(const AdapterInfo& info);

}  // namespace weightsmith::internal
