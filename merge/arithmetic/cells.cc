#include "merge/arithmetic/cells.h"

namespace weightsmith::internal {

std::uint64_t ElementsOfRow(const Shape& shape) {
  const std::uint64_t elements = ElementCount(shape).value_or(0);
  return shape.size() < 2 || elements == 0 ? 0 : elements / shape[0];
}

Cells Cells::Rows(const Shape& shape) {
  const std::uint64_t row = ElementsOfRow(shape);
  return row == 0 ? Tensor() : Cells(Grid::Rows(row));
}

Cells Cells::Columns(const Shape& shape) {
  const std::uint64_t row = ElementsOfRow(shape);
  return row == 0 ? Tensor() : Cells(Grid{row, shape[0], 1});
}

Scalar Cells::Dot(Lowering& tape, Value x, Value y) const {
  return grid_ ? tape.DotOf(*grid_, x, y) : tape.Dot(x, y);
}

Value Cells::Scale(Lowering& tape, Scalar s, Value x) const {
  if (!grid_ || s.is_literal()) return tape.Scale(s, x);
  return tape.Multiply(tape.Spread(s, *grid_), x);
}

Value Cells::Blend(Lowering& tape, Scalar s, Value x, Scalar t, Value y) const {
  if (!grid_) return tape.Blend(s, x, t, y);
  return tape.Add(Scale(tape, s, x), Scale(tape, t, y));
}

}  // namespace weightsmith::internal
