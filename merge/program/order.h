// Functions of whole tensors that put elements in the order of their sizes.
#pragma once

#include <cstdint>

#include "merge/program/tensor_function.h"

namespace weightsmith::internal {

/// Magnitudes from that of the `first`-th smallest to that of the `end`-th, counted from 1; 0 is
/// below all.
struct RedistributedPart {
  std::uint64_t first = 0;
  std::uint64_t end = 0;
  bool inverted = false;  ///< all but those
};

/// Of a and b: the values of a in the order of b, so that the smallest value of a stands where b is
/// smallest. Only values of the part move; what is left stays where it is. Equal elements of b are
/// in the order of their places. Tells the share of the values that were taken.
const TensorFunction<RedistributedPart>& Redistribute();

/// Frequencies that pass, as shares of the highest one.
struct HighPass {
  double edge = 0;
  double rise = 0;  ///< how wide it is from nothing to all, around the edge
};

/// Of x and c: x in the order of c, of which high frequencies pass. Tells the energy that is left.
const TensorFunction<HighPass>& FilterInOrder();

}  // namespace weightsmith::internal
