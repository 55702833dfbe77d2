// A matrix without its smallest singular values.
#pragma once

#include <cstddef>
#include <optional>

#include "merge/program/tensor_function.h"

namespace weightsmith::internal {

/// How many singular values are kept: `rank`, or where there is none the share `ratio` of all.
struct RankLimit {
  std::optional<double> rank{};
  std::optional<double> ratio{};
};

/// Of a tensor of that shape, to the nearest number, ties to even. What is no matrix has none.
/// REQUIRES: one of the two is there.
std::size_t KeptRanks(const Shape& shape, const RankLimit& limit);

/// Of one tensor: what the largest singular values make.
const TensorFunction<RankLimit>& LargestRanks();

struct SumLimit {
  double share = 1;
};

/// Of one tensor: as many of the largest singular values as are that share of the sum of all, or
/// just more, scaled so that they have that sum. What is no matrix stays. Tells how many, and of
/// how many.
const TensorFunction<SumLimit>& LargestShare();

}  // namespace weightsmith::internal
