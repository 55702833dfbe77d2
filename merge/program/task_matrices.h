// What is added to a base, of what fine-tunes changed in a matrix: functions of all their
// differences to it. Of what is no matrix, all give the mean. What they tell of a matrix is what
// the merges of subspaces.h tell.
#pragma once

#include <cstddef>

#include "merge/program/subspaces.h"
#include "merge/program/tensor_function.h"

namespace weightsmith::internal {

const TensorFunction<NoParameters>& TaskSingularVectors();

struct SumOfTasks {
  std::size_t tasks = 1;  ///< how many the sum is of
};
/// Of the sum of the differences.
const TensorFunction<SumOfTasks>& IsotropicSum();

struct CommonShare {
  double common = 0;  ///< share of the directions that are those of the sum
};
const TensorFunction<CommonShare>& CommonAndOwnSubspaces();

struct CoreParameters {
  std::size_t rank = 1;  ///< directions of each
  CoreMerge merge = CoreMerge::kTaskSingularVectors;
};
const TensorFunction<CoreParameters>& CoreSpace();

struct Calibration {
  double least = 1;
};
/// Of what was merged, behind it the differences: with every singular value divided by the mean,
/// over the differences, of how much of it the merge has in that direction in proportion to the
/// difference, each counted as `least` at least. What is no matrix stays what was merged. Tells the
/// mean of what singular values are multiplied by.
const TensorFunction<Calibration>& CalibratedSpectrum();

}  // namespace weightsmith::internal
