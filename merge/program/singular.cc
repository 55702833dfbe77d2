#include "merge/program/singular.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/base/error.h"
#include "merge/program/algebra.h"
#include "merge/program/jacobi.h"

namespace weightsmith::internal {
namespace {

/// What is smaller in proportion to the largest singular value is taken for rounding.
constexpr double kNoDirection = 1e-9;
/// How far singular values may be from what they should be, in proportion to the largest.
constexpr double kResidual = 1e-8;
/// From this size on, few are looked for without the others.
constexpr std::size_t kManyDirections = 2048;
constexpr int kMostIterations = 16;

/// The triangle R of a = Q·R by Householder's reflections, on columns of `a` as rows. REQUIRES: as
/// many rows of a as columns, or more.
Matrix TriangleOf(const Matrix& a, const Poll& poll) {
  Matrix columns = Transposed(a);
  std::vector<double> mirror;
  for (std::size_t k = 0; k < columns.rows; ++k) {
    poll();
    const std::span<double> own = columns.row(k).subspan(k);
    const double norm = Norm(own);
    if (norm == 0) continue;
    mirror.assign(own.begin(), own.end());
    own[0] = own[0] > 0 ? -norm : norm;
    mirror[0] -= own[0];
    const double square = Dot(mirror, mirror);
    for (std::size_t j = k + 1; j < columns.rows; ++j) {
      const std::span<double> other = columns.row(j).subspan(k);
      AddTo(other, -2 * Dot(mirror, other) / square, mirror);
    }
  }
  Matrix triangle(a.columns, a.columns);
  for (std::size_t i = 0; i < a.columns; ++i) {
    for (std::size_t j = i; j < a.columns; ++j) triangle.at(i, j) = columns.at(j, i);
  }
  return triangle;
}

[[noreturn]] void FailForResidual() {
  throw Error(ErrorCode::kFailed, "the singular values of a matrix are not those that it has");
}

/// Orthogonal rows as singular values, largest first, and as vectors on the right.
void TakeRows(const Matrix& rows, Singular& result) {
  std::vector<double> norms;
  for (std::size_t i = 0; i < rows.rows; ++i) norms.push_back(Norm(rows.row(i)));
  std::vector<std::size_t> order(rows.rows);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order,
                           [&](std::size_t i, std::size_t j) { return norms[i] > norms[j]; });
  const double largest = order.empty() ? 0 : norms[order.front()];
  std::erase_if(order, [&](std::size_t i) { return norms[i] <= kNoDirection * largest; });
  result.right = Matrix(order.size(), rows.columns);
  for (std::size_t i = 0; i < order.size(); ++i) {
    result.values.push_back(norms[order[i]]);
    std::ranges::copy(rows.row(order[i]), result.right.row(i).begin());
    ScaleBy(1 / norms[order[i]], result.right.row(i));
  }
}

Singular DecomposeTall(const Matrix& a, const Poll& poll) {
  Singular result;
  {
    Matrix triangle = TriangleOf(a, poll);
    if (triangle.rows > 0 && triangle.rows <= kMostForEigen) {
      triangle = RightSingularRows(triangle);
    } else {
      OrthogonaliseRows(triangle, poll);
    }
    TakeRows(triangle, result);
  }
  // What rounding mixed into the vectors of small values lies along those of larger ones.
  result.right = OrthonormalRows(std::move(result.right), poll);
  if (result.right.rows != result.values.size()) FailForResidual();
  result.left = MultiplyTransposed(result.right, a, poll);
  double squares = 0;
  for (std::size_t i = 0; i < result.values.size(); ++i) {
    const double square = Dot(result.left.row(i), result.left.row(i));
    // Written so that NaN fails.
    const double wrong = std::abs(std::sqrt(square) - result.values[i]);
    if (!(wrong <= kResidual * result.values[0])) FailForResidual();
    squares += square;
  }
  const double all = Dot(a.values, a.values);
  if (!(std::abs(squares - all) <= kResidual * all)) FailForResidual();
  result.left = OrthonormalRows(std::move(result.left), poll);
  if (result.left.rows != result.values.size()) FailForResidual();
  return result;
}

void KeepFirst(Singular& parts, std::size_t count) {
  if (count >= parts.values.size()) return;
  parts.values.resize(count);
  parts.left = FirstRows(parts.left, count);
  parts.right = FirstRows(parts.right, count);
}

/// Numbers between -1 and 1 that look random, by a mixer of 64 bits (splitmix64).
Matrix StartingNoise(std::size_t rows, std::size_t columns) {
  Matrix noise(rows, columns);
  std::uint64_t state = 0;
  for (double& value : noise.values) {
    state += 0x9e3779b97f4a7c15;
    std::uint64_t mixed = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    mixed ^= mixed >> 31;
    value = static_cast<double>(mixed >> 11) * 0x1p-52 - 1;
  }
  return noise;
}

/// Whether a·right = values·left, and the subspace holds what `count` of them need.
bool IsNear(const Matrix& turned, const Singular& parts, const Poll& poll) {
  Matrix rest = Multiply(parts.right, turned, poll);
  for (std::size_t i = 0; i < rest.rows; ++i) {
    AddTo(rest.row(i), -parts.values[i], parts.left.row(i));
    if (Norm(rest.row(i)) > kResidual * parts.values[0]) return false;
  }
  return true;
}

}  // namespace

Matrix OrthonormalRows(Matrix rows, const Poll& poll) {
  constexpr double kInSpan = 1e-12;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < rows.rows; ++i) {
    poll();
    const std::span<double> own = rows.row(i);
    const double before = Norm(own);
    for (int times = 0; times < 2; ++times) {
      for (std::size_t j = 0; j < kept; ++j) AddTo(own, -Dot(own, rows.row(j)), rows.row(j));
    }
    const double norm = Norm(own);
    if (norm <= kInSpan * before) continue;
    ScaleBy(1 / norm, own);
    if (kept != i) std::ranges::copy(own, rows.row(kept).begin());
    ++kept;
  }
  return kept == rows.rows ? rows : FirstRows(rows, kept);
}

Singular DecomposeSingular(const Matrix& a, const Poll& poll) {
  if (a.rows >= a.columns) return DecomposeTall(a, poll);
  Singular turned = DecomposeTall(Transposed(a), poll);
  std::swap(turned.left, turned.right);
  return turned;
}

Singular LargestSingular(const Matrix& a, std::size_t count, const Poll& poll) {
  const std::size_t smaller = std::min(a.rows, a.columns);
  count = std::min(count, smaller);
  if (smaller >= kManyDirections && count <= smaller / 4) {
    const Matrix turned = Transposed(a);
    Matrix left = OrthonormalRows(
        Multiply(StartingNoise(count + std::max<std::size_t>(32, count / 4), a.columns), turned,
                 poll),
        poll);
    for (int i = 1; i <= kMostIterations; ++i) {
      const Matrix right = OrthonormalRows(Multiply(left, a, poll), poll);
      left = OrthonormalRows(Multiply(right, turned, poll), poll);
      if (i % 4 != 0) continue;
      Singular parts = DecomposeSingular(Multiply(left, a, poll), poll);
      parts.left = Multiply(parts.left, left, poll);
      KeepFirst(parts, count);
      if (IsNear(turned, parts, poll)) return parts;
    }
  }
  Singular parts = DecomposeSingular(a, poll);
  KeepFirst(parts, count);
  return parts;
}

Matrix Compose(const Singular& parts, const Poll& poll) {
  Matrix left = parts.left;
  for (std::size_t i = 0; i < left.rows; ++i) ScaleBy(parts.values[i], left.row(i));
  return Multiply(Transposed(left), parts.right, poll);
}

Matrix Polar(const Matrix& a, const Poll& poll) {
  Singular parts = DecomposeSingular(a, poll);
  return Multiply(Transposed(parts.left), parts.right, poll);
}

std::uint64_t SingularBytes(std::uint64_t rows, std::uint64_t columns) {
  const std::uint64_t smaller = std::min(rows, columns);
  const auto size = static_cast<std::size_t>(smaller);
  return BytesOfNumbers(5 * rows * columns + 4 * smaller * smaller) +
         (size <= kMostForEigen ? RightSingularBytes(size) : OrthogonaliseBytes(size)) +
         2 * kProductBytes;
}

}  // namespace weightsmith::internal
