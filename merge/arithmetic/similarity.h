// The cells of a tensor that methods compare models in, and how alike two models are there.
#pragma once

#include "core/tensor/tensor.h"
#include "merge/program/lowering.h"

namespace weightsmith::internal {

/// A cell for each place behind the first dimension: what all rows have in one column. A tensor of
/// one dimension, or none, is one cell; likewise below.
Grid AcrossRows(const Shape& shape);

/// A cell for each place of the first dimension: a row.
Grid WithinRows(const Shape& shape);

/// A cell for each run of the last dimension.
Grid AlongLast(const Shape& shape);

/// The cosine of the angle between x and y in each cell. A norm counts as 1e-8 at least, so that
/// what is zero has a right angle to everything.
Scalar CosineOf(Lowering& tape, const Grid& cells, Value x, Value y);

/// The same over the whole tensor.
Scalar Cosine(Lowering& tape, Value x, Value y);

/// The same over the whole tensor, in which every cell counts alike, whatever its norm.
Scalar CosineOfDirections(Lowering& tape, const Grid& cells, const Shape& shape, Value x, Value y);

/// `share` of a and the rest of b, each cell by its own share; tells the rest. REQUIRES: b is the
/// second operand.
Value BlendCells(Lowering& tape, const Grid& cells, Scalar share, Value a, Value b);

}  // namespace weightsmith::internal
