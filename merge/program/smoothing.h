// Filters over the neighbours of an element in all dimensions of its tensor.
#pragma once

#include "merge/program/tensor_function.h"

namespace weightsmith::internal {

struct Smoothing {
  bool median = true;
  bool gaussian = true;
};

/// The median of three elements in every dimension, then, of the result, a Gaussian of deviation 1
/// over nine elements along one dimension after the other. What is behind an end is mirrored, the
/// element at the end included. Each of the two where it is asked for. Tells the energy that is
/// left.
const TensorFunction<Smoothing>& Smooth();

}  // namespace weightsmith::internal
