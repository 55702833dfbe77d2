// What is added to a base, of what fine-tunes changed in a matrix: functions of all their
// differences to it. Of what is no matrix, all give the mean. What they tell of a matrix is what
// the merges of subspaces.h tell.
#pragma once

#include "merge/program/program.h"

namespace weightsmith::internal {

const TensorFunction& TaskSingularVectors();
/// Of the sum of the differences, and the number {how many they are}.
const TensorFunction& IsotropicSum();
/// The number {share of the directions that are common}.
const TensorFunction& CommonAndOwnSubspaces();
/// The numbers {rank, a CoreMerge}.
const TensorFunction& CoreSpace();

/// Of what was merged, behind it the differences, and the number {least}: with every singular value
/// divided by the mean, over the differences, of how much of it the merge has in that direction in
/// proportion to the difference, each counted as `least` at least. What is no matrix stays what was
/// merged. Tells the mean of what singular values are multiplied by.
const TensorFunction& CalibratedSpectrum();

}  // namespace weightsmith::internal
