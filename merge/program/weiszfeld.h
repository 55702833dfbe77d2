// The geometric median of some points, from the scalar products of their differences alone.
#pragma once

#include "merge/program/scalar.h"

namespace weightsmith::internal {

/// Of points whose products <x_i, x_j>, j ≤ i, follow the number of one of them in rows: the share
/// of that point in their geometric median, which is a blend of them.
const ScalarFunction& ShareInMedian();

}  // namespace weightsmith::internal
