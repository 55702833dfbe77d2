// Functions of whole tensors that put elements in the order of their sizes.
#pragma once

#include "merge/program/program.h"

namespace weightsmith::internal {

/// Of a and b: the values of a in the order of b, so that the smallest value of a stands where b is
/// smallest. Only values whose magnitude is from that of the `first`-th smallest to that of the
/// `end`-th, or with `inverted` only the others; what is left stays where it is. Equal elements of
/// b are in the order of their places. Numbers: first, end, inverted. Tells the share of the values
/// that were taken.
const TensorFunction& Redistribute();

/// Of x and c: x in the order of c, of which a band of frequencies passes. Numbers: the edge as a
/// share of the highest frequency, and the width of the rise from nothing to all around it.
/// Tells the energy that is left.
const TensorFunction& FilterInOrder();

}  // namespace weightsmith::internal
