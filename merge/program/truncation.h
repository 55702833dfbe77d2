// A matrix without its smallest singular values.
#pragma once

#include "merge/program/program.h"

namespace weightsmith::internal {

/// How many singular values of a tensor of that shape truncation keeps: `rank`, or where that is
/// NaN the share `ratio` of all, to the nearest number, ties to even. What is no matrix has none.
std::size_t KeptRanks(const Shape& shape, double rank, double ratio);

/// Of one tensor and the numbers {rank, ratio} of KeptRanks: what the largest singular values make.
const TensorFunction& LargestRanks();

/// Of one tensor and the number {share}: as many of the largest singular values as are that share
/// of the sum of all, or just more, scaled so that they have that sum. What is no matrix stays.
/// Tells how many, and of how many.
const TensorFunction& LargestShare();

}  // namespace weightsmith::internal
