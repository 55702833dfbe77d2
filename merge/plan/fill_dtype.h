// Scales that let the values of a weight fill the range of the dtype that they are stored in.
#pragma once

#include "core/tensor/grid.h"
#include "core/tensor/tensor.h"
#include "merge/program/lowering.h"

namespace weightsmith::internal {

/// A value as it is stored, and what it is to be multiplied by to be what it was.
struct ScaledValue {
  Scalar scale;
  Value value;
};

/// Scales the cells of a value so that the largest magnitude of each fills the dtype. Without one
/// that is finite and not 0 the scale is 1. Scales are f32, or as `of_scales` has them where that
/// is narrower. `whole`: all of the value is one cell.
ScaledValue FillDType(Lowering& tape, Value value, DType dtype, const Grid& cells, DType of_scales,
                      bool whole);

}  // namespace weightsmith::internal
