// A tensor as one vector, or as the vectors that its rows or columns are.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "merge/operator.h"

namespace weightsmith::internal {

/// The elements that belong to one index of the first dimension; 0 where there is one row alone,
/// in tensors of one dimension or none.
std::uint64_t ElementsOfRow(const Shape& shape);

/// What numbers are for each of: the tensor or, where it has two dimensions and more, each row (all
/// that belongs to one index of the first dimension) or each column of the matrix of these rows.
class Cells {
 public:
  static Cells Tensor() { return Cells(std::nullopt); }
  static Cells Rows(const Shape& shape);
  static Cells Columns(const Shape& shape);

  Scalar Dot(Lowering& tape, Value x, Value y) const;
  Scalar Norm(Lowering& tape, Value x) const { return tape.SquareRoot(Dot(tape, x, x)); }
  /// s·x and s·x + t·y, by the numbers of each cell.
  Value Scale(Lowering& tape, Scalar s, Value x) const;
  Value Blend(Lowering& tape, Scalar s, Value x, Scalar t, Value y) const;

 private:
  explicit Cells(std::optional<Grid> grid) : grid_(grid) {}

  std::optional<Grid> grid_;
};

}  // namespace weightsmith::internal
