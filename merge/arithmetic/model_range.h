// Where a number of a cell lies among those of all tensors of the step.
#pragma once

#include "merge/operator.h"

namespace weightsmith::internal {

/// `alpha`, what ShareLess takes away, and `scope`: whether likenesses are placed in the model.
ParameterSpec LessParameter();
ParameterSpec ScopeParameter();

/// `number` on a scale that is 0 at the lowest of `among` and 1 at the highest, over all tensors
/// and without the outermost; 1 where those are one number.
Scalar PlaceInModel(Lowering& tape, Scalar number, Scalar among, const Grid& cells);

/// A share less alpha, from 0 to 1.
Scalar ShareLess(Lowering& tape, Scalar share, double alpha);

}  // namespace weightsmith::internal
