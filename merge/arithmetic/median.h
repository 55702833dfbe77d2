// The geometric median of some values.
#pragma once

#include <span>

#include "merge/program/lowering.h"

namespace weightsmith::internal {

/// What is nearest to all of them, each as one vector. REQUIRES: one at least.
Value MedianOf(Lowering& tape, std::span<const Value> values);

}  // namespace weightsmith::internal
