#include "merge/program/orthogonal.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <utility>

#include "core/base/elementary.h"
#include "merge/program/singular.h"

namespace weightsmith::internal {
namespace {

/// A sine below it is that of no turn, or of half a circle.
constexpr double kNoSine = 1e-7;
/// Rows that a thread subtracts another from.
constexpr std::size_t kRowsOfElimination = 512;

Matrix Identity(std::size_t size, const Poll& poll) {
  Matrix identity(size, size, poll);
  for (std::size_t i = 0; i < size; ++i) identity.at(i, i) = 1;
  return identity;
}

/// Directions that orthogonal rows do not have, of all that there are.
Matrix OtherDirections(const Matrix& rows, const Poll& poll) {
  const std::array parts{Copied(rows, poll), Identity(rows.columns, poll)};
  const Matrix all = OrthonormalRows(Stacked(parts, poll), poll);
  return RowsOf(all, rows.rows, all.rows - rows.rows, poll);
}

/// Whether the determinant is below 0, by elimination.
bool Reflects(Matrix a, const Poll& poll) {
  bool negative = false;
  for (std::size_t k = 0; k < a.rows; ++k) {
    poll();
    std::size_t pivot = k;
    for (std::size_t i = k + 1; i < a.rows; ++i) {
      if (std::abs(a.at(i, k)) > std::abs(a.at(pivot, k))) pivot = i;
    }
    if (pivot != k) {
      std::ranges::swap_ranges(a.row(k), a.row(pivot));
      negative = !negative;
    }
    if (a.at(k, k) < 0) negative = !negative;
    if (a.at(k, k) == 0) return false;
    const std::size_t left = a.rows - (k + 1);
    poll.ForEach((left + kRowsOfElimination - 1) / kRowsOfElimination, [&](std::size_t part) {
      const std::size_t first = k + 1 + part * kRowsOfElimination;
      for (std::size_t i = first; i < std::min(first + kRowsOfElimination, a.rows); ++i) {
        AddTo(a.row(i).subspan(k), -a.at(i, k) / a.at(k, k), a.row(k).subspan(k));
      }
    });
  }
  return negative;
}

/// a + s·(b - a).
Matrix Between(const Matrix& a, double s, const Matrix& b, const Poll& poll) {
  Matrix between = Copied(a, poll);
  ScaleBy(1 - s, between, poll);
  AddTo(between, s, b, poll);
  return between;
}

}  // namespace

Matrix NearestTurn(const Matrix& a, const Matrix& b, bool proper, const Poll& poll) {
  return NearestOrthogonal(Multiply(Transposed(a, poll), b, poll), proper, poll);
}

Matrix NearestOrthogonal(const Matrix& a, bool proper, const Poll& poll) {
  const Singular parts = DecomposeSingular(a, poll);
  Matrix turn = Multiply(Transposed(parts.left, poll), parts.right, poll);
  Singular rest;
  if (parts.values.size() < a.columns) {
    const Matrix from = OtherDirections(parts.left, poll);
    const Matrix to = OtherDirections(parts.right, poll);
    rest = DecomposeSingular(MultiplyTransposed(from, to, poll), poll);
    rest.left = Multiply(rest.left, from, poll);
    rest.right = Multiply(rest.right, to, poll);
    AddTo(turn, 1, Multiply(Transposed(rest.left, poll), rest.right, poll), poll);
  }
  const Singular& last = rest.values.empty() ? parts : rest;
  if (proper && !last.values.empty() && Reflects(Copied(turn, poll), poll)) {
    const std::span<const double> from = last.left.row(last.values.size() - 1);
    const std::span<const double> to = last.right.row(last.values.size() - 1);
    for (std::size_t i = 0; i < turn.rows; ++i) AddTo(turn.row(i), -2 * from[i], to);
  }
  return turn;
}

/// The half of a turn that is symmetric is cos Θ, the other half J·sin Θ with J that commutes and
/// whose square is -1; a part of it is cos tΘ + J·sin tΘ.
Matrix PartOfTurn(const Matrix& turn, double t, const Poll& poll) {
  if (t == 0) return Identity(turn.rows, poll);
  if (t == 1) return turn;
  const Matrix turned = Transposed(turn, poll);
  Matrix symmetric = Between(turn, 0.5, turned, poll);
  // Moved away from 0, so that singular values are eigenvalues.
  constexpr double kMoved = 2;
  for (std::size_t i = 0; i < turn.rows; ++i) symmetric.at(i, i) += kMoved;
  const Singular parts = DecomposeSingular(symmetric, poll);
  Matrix cosines = Copied(parts.right, poll);
  Matrix sines = Copied(parts.right, poll);
  for (std::size_t i = 0; i < parts.values.size(); ++i) {
    poll();
    const double cosine = std::clamp(parts.values[i] - kMoved, -1.0, 1.0);
    const double angle = ArcCosine(cosine);
    const double sine = Sine(angle);
    ScaleBy(Cosine(t * angle), cosines.row(i));
    const double share = sine > kNoSine ? Sine(t * angle) / sine : (cosine > 0 ? t : 0);
    ScaleBy(share, sines.row(i));
  }
  const Matrix vectors = Transposed(parts.right, poll);
  Matrix other = Copied(turn, poll);
  AddTo(other, -1, turned, poll);
  ScaleBy(0.5, other, poll);
  Matrix part = Multiply(other, Multiply(vectors, sines, poll), poll);
  AddTo(part, 1, Multiply(vectors, cosines, poll), poll);
  return part;
}

WideTurn::WideTurn(const Matrix& a, const Matrix& b, const Poll& poll) {
  const Matrix own = OrthonormalRows(Copied(a, poll), poll);
  const Matrix others = OrthonormalRows(Copied(b, poll), poll);
  const Matrix first = MultiplyTransposed(own, a, poll);
  const Matrix second = MultiplyTransposed(b, others, poll);
  Singular parts = DecomposeSingular(Multiply(first, second, poll), poll);
  from_ = Multiply(parts.left, own, poll);
  to_ = Multiply(parts.right, others, poll);
}

Matrix WideTurn::Turn(const Matrix& a, double t, const Poll& poll) const {
  if (from_.rows == 0 || t == 0) return a;
  const Matrix to = t == 1 ? to_ : Polar(Between(from_, t, to_, poll), poll);
  const Matrix inside = MultiplyTransposed(a, from_, poll);
  Matrix turned = Copied(a, poll);
  AddTo(turned, -1, Multiply(inside, from_, poll), poll);
  AddTo(turned, 1, Multiply(inside, to, poll), poll);
  return turned;
}

Matrix WideTurn::TurnBack(const Matrix& b, const Poll& poll) const {
  if (from_.rows == 0) return b;
  const Matrix inside = MultiplyTransposed(b, to_, poll);
  Matrix turned = Copied(b, poll);
  AddTo(turned, -1, Multiply(inside, to_, poll), poll);
  AddTo(turned, 1, Multiply(inside, from_, poll), poll);
  return turned;
}

std::uint64_t TurnBytesOfPart(MatrixSize size) {
  const std::uint64_t square = size.rows < size.columns ? size.rows : size.columns;
  return SingularBytesOfPart(2 * square, square);
}

std::uint64_t NearestOrthogonalBytes(std::uint64_t size) {
  // Most where directions are missing, while others are looked for: the parts, the turn, and rows
  // with all directions below them.
  return 4 * BytesOfMatrix(size, size) + SingularBytes(size, size);
}

std::uint64_t PartOfTurnBytes(std::uint64_t size) {
  // The parts, and eight that are made of the turn and of them.
  return 6 * BytesOfMatrix(size, size) + SingularBytes(size, size);
}

std::uint64_t WideTurnBytes(MatrixSize size, bool part) {
  const std::uint64_t whole = BytesOfMatrix(size.rows, size.columns);
  const std::uint64_t square = BytesOfMatrix(size.rows, size.rows);
  const std::uint64_t of_whole = SingularBytes(size.rows, size.columns);
  // Directions of both and the products with them, while the core is decomposed; and then what is
  // made of them.
  const std::uint64_t decomposed = 2 * whole + 3 * square + SingularBytes(size.rows, size.rows);
  const std::uint64_t made = whole + 3 * square + of_whole;
  // With what lies between directions, while that is made orthogonal.
  const std::uint64_t turned = (part ? 3 : 2) * whole + of_whole;
  return std::max({decomposed, made, turned});
}

}  // namespace weightsmith::internal
