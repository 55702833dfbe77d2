// The geometric median of some points, from the scalar products of their differences alone.
#pragma once

#include "merge/program/scalar.h"

namespace weightsmith::internal {

/// Of points whose products <x_i, x_j>, j ≤ i, it gets in rows: the shares of the points in their
/// geometric median, which is a blend of them.
const ScalarFunction& ShareInMedian();

}  // namespace weightsmith::internal
