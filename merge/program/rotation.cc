#include "merge/program/rotation.h"

#include <algorithm>
#include <vector>

#include "merge/program/change.h"
#include "merge/program/orthogonal.h"

namespace weightsmith::internal {
namespace {

/// Kernels of a convolution are rows by themselves, where they are larger than 1.
MatrixSize SizeOfRows(const Shape& shape) {
  const MatrixSize size = MatrixSizeOf(shape);
  if (shape.size() != 4 || shape[2] * shape[3] == 1) return size;
  const std::size_t rows = size.rows * static_cast<std::size_t>(shape[1]);
  return {rows, static_cast<std::size_t>(shape[2] * shape[3])};
}

std::vector<double> MeanOfRows(const Matrix& a, const Poll& poll) {
  std::vector<double> mean(a.columns, 0.0);
  for (std::size_t i = 0; i < a.rows; ++i) {
    poll();
    AddTo(mean, 1, a.row(i));
  }
  for (double& value : mean) value /= static_cast<double>(a.rows);
  return mean;
}

void MoveRows(Matrix& a, double s, std::span<const double> by, const Poll& poll) {
  for (std::size_t i = 0; i < a.rows; ++i) {
    poll();
    AddTo(a.row(i), s, by);
  }
}

/// a ← (1 - s)·a + s·b.
void Approach(Matrix& a, double s, const Matrix& b, const Poll& poll) {
  ScaleBy(1 - s, a, poll);
  AddTo(a, s, b, poll);
}

bool IsPart(double alignment) {
  return alignment != 0 && alignment != 1;
}

Matrix TurnTall(Matrix a, const Matrix& b, const PartialTurn& rotation, const Poll& poll) {
  const Matrix turn = NearestTurn(a, b, IsPart(rotation.alignment), poll);
  if (rotation.alpha != 0) Approach(a, rotation.alpha, MultiplyTransposed(b, turn, poll), poll);
  return rotation.alignment == 0 ? a
                                 : Multiply(a, PartOfTurn(turn, rotation.alignment, poll), poll);
}

Matrix TurnWide(Matrix a, const Matrix& b, const PartialTurn& rotation, const Poll& poll) {
  const WideTurn turn(a, b, poll);
  if (rotation.alpha != 0) Approach(a, rotation.alpha, turn.TurnBack(b, poll), poll);
  return turn.Turn(a, rotation.alignment, poll);
}

void RotateTowards(TensorInputs in, const Shape& shape, const PartialTurn& rotation,
                   std::span<float> out, const Poll& poll, Told told) {
  if (!AreMatrices(in, shape, poll, told)) {
    poll.ForRanges(out.size(), [&](std::size_t first, std::size_t count) {
      for (std::size_t i = first; i < first + count; ++i) {
        out[i] = static_cast<float>((1 - rotation.alpha) * in[0][i] + rotation.alpha * in[1][i]);
      }
    });
    return;
  }
  const MatrixSize size = SizeOfRows(shape);
  Matrix a = MatrixOf(in[0], size, poll);
  Matrix b = MatrixOf(in[1], size, poll);
  const std::vector<double> mean_a = MeanOfRows(a, poll);
  const std::vector<double> mean_b = MeanOfRows(b, poll);
  MoveRows(a, -rotation.centralisation, mean_a, poll);
  MoveRows(b, -rotation.centralisation, mean_b, poll);
  a = size.rows < size.columns ? TurnWide(std::move(a), b, rotation, poll)
                               : TurnTall(std::move(a), b, rotation, poll);
  MoveRows(a, rotation.centralisation * (1 - rotation.alignment), mean_a, poll);
  MoveRows(a, rotation.centralisation * rotation.alignment, mean_b, poll);
  Round(a, out, poll);
  if (told.Wants(0)) told.Say(0, AngleBetween(in[0], out, poll));
}

std::uint64_t RotationBytes(const Shape& shape, std::size_t /*inputs*/,
                            const PartialTurn& rotation) {
  if (shape.size() < 2) return 0;
  const MatrixSize size = SizeOfRows(shape);
  const bool part = IsPart(rotation.alignment);
  const std::uint64_t whole = BytesOfMatrix(size.rows, size.columns);
  // Both, and one more for what is freed between others and is of no use again.
  const std::uint64_t given = 3 * whole;
  if (size.rows < size.columns) return given + WideTurnBytes(size, part);
  // One that is transposed or turned, beside the turn or the product that it is made of.
  const std::uint64_t square = BytesOfMatrix(size.columns, size.columns);
  return given + square +
         std::max({whole + square, NearestOrthogonalBytes(size.columns),
                   part ? PartOfTurnBytes(size.columns) : 0});
}

std::uint64_t RotationBytesOfPart(const Shape& shape, std::size_t /*inputs*/,
                                  const PartialTurn& /*rotation*/) {
  return shape.size() < 2 ? 0 : TurnBytesOfPart(SizeOfRows(shape));
}

}  // namespace

const TensorFunction<PartialTurn>& RotatedTowards() {
  static constexpr TensorFunction<PartialTurn> function{.name = "rotated_towards",
                                                        .compute = RotateTowards,
                                                        .bytes = RotationBytes,
                                                        .bytes_of_part = RotationBytesOfPart};
  return function;
}

}  // namespace weightsmith::internal
