#include "merge/arithmetic/similarity.h"

namespace weightsmith::internal {
namespace {

constexpr double kLeastNorm = 1e-8;

std::uint64_t Elements(const Shape& shape) {
  return ElementCount(shape).value_or(0);
}

bool IsOneCell(const Shape& shape) {
  return shape.size() < 2 || Elements(shape) == 0;
}

Scalar CosineFrom(Lowering& tape, Scalar dot, Scalar of_x, Scalar of_y) {
  return tape.Over(dot, tape.Times(tape.Greater(of_x, kLeastNorm), tape.Greater(of_y, kLeastNorm)));
}

}  // namespace

Grid AcrossRows(const Shape& shape) {
  if (IsOneCell(shape)) return Grid::Whole(Elements(shape));
  return Grid::Columns(Elements(shape) / shape.front());
}

Grid WithinRows(const Shape& shape) {
  if (IsOneCell(shape)) return Grid::Whole(Elements(shape));
  return Grid::Rows(Elements(shape) / shape.front());
}

Grid AlongLast(const Shape& shape) {
  return IsOneCell(shape) ? Grid::Whole(Elements(shape)) : Grid::Rows(shape.back());
}

Scalar CosineOf(Lowering& tape, const Grid& cells, Value x, Value y) {
  return CosineFrom(tape, tape.DotOf(cells, x, y), tape.NormOf(cells, x), tape.NormOf(cells, y));
}

Scalar Cosine(Lowering& tape, Value x, Value y) {
  return CosineFrom(tape, tape.Dot(x, y), tape.Norm(x), tape.Norm(y));
}

// Directions are cells over their norms: their products are the cosines of cells.
Scalar CosineOfDirections(Lowering& tape, const Grid& cells, const Shape& shape, Value x, Value y) {
  const std::uint64_t count = cells.CellCount(Elements(shape));
  const auto length = [&](Value of) {
    const Scalar norm = tape.NormOf(cells, of);
    const Scalar direction = tape.Over(norm, tape.Greater(norm, kLeastNorm));
    return tape.SquareRoot(tape.SumOfCells(tape.Times(direction, direction), count));
  };
  const Scalar dot = tape.SumOfCells(CosineOf(tape, cells, x, y), count);
  return CosineFrom(tape, dot, length(x), length(y));
}

Value BlendCells(Lowering& tape, const Grid& cells, Scalar share, Value a, Value b) {
  const Scalar rest = tape.Minus(1, share);
  tape.Tell("taken", rest, Unit::kShare, Subject::Operand(1));
  return tape.Add(tape.Multiply(tape.Spread(share, cells), a),
                  tape.Multiply(tape.Spread(rest, cells), b));
}

}  // namespace weightsmith::internal
