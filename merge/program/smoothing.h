// Filters over the neighbours of an element in all dimensions of its tensor.
#pragma once

#include "merge/program/program.h"

namespace weightsmith::internal {

/// The median of three elements in every dimension, then, of the result, a Gaussian of deviation 1
/// over nine elements along one dimension after the other. What is behind an end is mirrored, the
/// element at the end included. Numbers: whether each of the two is applied. Tells the energy that
/// is left.
const TensorFunction& Smooth();

}  // namespace weightsmith::internal
