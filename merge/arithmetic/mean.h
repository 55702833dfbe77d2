// The mean of some values.
#pragma once

#include <span>

#include "merge/program/lowering.h"

namespace weightsmith::internal {

/// From left to right. REQUIRES: one at least.
Value MeanOf(Lowering& tape, std::span<const Value> values);

}  // namespace weightsmith::internal
