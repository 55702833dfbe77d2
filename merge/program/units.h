// Units that several tensors share, such as hidden units of a feed-forward network or heads of an
// attention: permuted, or turned, so that they are nearest to those of another model.
#pragma once

#include <cstddef>
#include <vector>

#include "merge/program/tensor_function.h"

namespace weightsmith::internal {

/// A part of a companion whose rows, or columns, are units one behind the other.
struct UnitSlice {
  std::size_t companion = 0;  ///< which of a model's
  std::size_t rows = 0;       ///< of the companion as a matrix
  std::size_t columns = 0;
  bool turned = false;    ///< its units are columns
  std::size_t first = 0;  ///< row, or column, at which the slice begins
  std::size_t count = 0;  ///< of rows or columns
  std::size_t pair = 0;   ///< UnitsTurned: slices with one number are turned alike
  double scale = 1;       ///< UnitsTurned: how much it counts
};

/// Without slices, nothing is changed.
struct SharedUnits {
  std::size_t units = 0;
  std::size_t own = 0;  ///< the companion that the tensor is
  std::vector<UnitSlice> slices{};
};

/// Of one tensor, and of companions: a model's, then as many of another's. The tensor is the
/// companion `own` of the first. Its units are put in the order in which the products of all slices
/// of the one model with those of the other are largest together. Tells how many moved, and how
/// many there are.
const TensorFunction<SharedUnits>& UnitsMatched();

/// Likewise; each unit is multiplied from the left by the orthogonal matrix that brings all slices
/// of the pair nearest to those of the other model. Tells the angle between the tensor and the
/// result.
const TensorFunction<SharedUnits>& UnitsTurned();

}  // namespace weightsmith::internal
