// The Karcher mean of directions: the point of a sphere with the least sum of squared arcs to them.
#pragma once

#include "merge/program/scalar.h"

namespace weightsmith::internal {

/// Of n vectors given as {iterations, tolerance, the inner products ⟨xᵢ, xⱼ⟩ for j ≤ i by rows} the
/// factors by which they add up to their mean: the mean of their directions, as long as they are on
/// average. A vector that is not longer than the tolerance has no direction, but a length; where
/// none has one, all factors are 0. A direction opposite to the mean does not count in a step.
const ScalarFunction& KarcherFactors();

/// Of the same the angles, in radians, between their mean and each; NaN of one without direction.
const ScalarFunction& KarcherAngles();

/// Of the same 1 where directions cancel out, so that the first is taken for the mean; else 0.
const ScalarFunction& KarcherOpposite();

}  // namespace weightsmith::internal
