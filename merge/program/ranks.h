// The ranks of elements by magnitude, inside each row, column or all of a tensor.
#pragma once

#include <cstdint>

#include "merge/program/tensor_function.h"

namespace weightsmith::internal {

/// Which elements are ranked among each other.
enum class RankedIn : std::uint8_t {
  kRow,     ///< those of one index in the first dimension; of a vector, all
  kColumn,  ///< those that differ in the second dimension alone; of a vector, all
  kTensor,
};

struct RankParameters {
  RankedIn in = RankedIn::kTensor;
};

/// Of each element its rank over the largest one there is, in [0, 1]: how many elements have a
/// lesser magnitude, or the same one and a lower index, over one less than there are. An element
/// that is alone has 1/2. A NaN is above all numbers. The order is exact whatever their number is,
/// of the elements as f32; the share is rounded to f32, so that neighbours among more than 2^24
/// elements may have the same one.
const TensorFunction<RankParameters>& Ranks();

}  // namespace weightsmith::internal
