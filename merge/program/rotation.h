// A matrix turned towards another.
#pragma once

#include "merge/program/tensor_function.h"

namespace weightsmith::internal {

struct PartialTurn {
  double alignment = 1;
  double alpha = 0;
  double centralisation = 1;
};

/// Of tensors a and b: a turned towards b by the orthogonal matrix on its right that brings the two
/// nearest to each other (Procrustes), to the power of the alignment, from 0 to 1. Both are moved
/// to the mean of their rows before, as far as centralisation says, and the mean, interpolated by
/// the alignment, is added again. Alpha is the share of b, turned back, in what is turned. Rows are
/// those of a matrix; of a convolution with kernels larger than 1 they are kernels. What is no
/// matrix is interpolated by alpha. Tells the angle between a and the result as vectors, in
/// radians.
const TensorFunction<PartialTurn>& RotatedTowards();

}  // namespace weightsmith::internal
