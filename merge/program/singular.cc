#include "merge/program/singular.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/base/error.h"
#include "merge/program/diagonal.h"
#include "merge/program/reflections.h"
#include "merge/program/sweeps.h"

namespace weightsmith::internal {
namespace {

/// What is smaller in proportion to the largest singular value is taken for rounding.
constexpr double kNoDirection = 1e-9;
/// How far singular values may be from what they should be, in proportion to the largest.
constexpr double kResidual = 1e-8;
/// Vectors of values above it, in proportion to the largest, are orthogonal as they are.
constexpr double kClear = 1e-3;
/// A row of which no more is left beside others lies in their span.
constexpr double kInSpan = 1e-12;
/// Rows that are made orthogonal to others at once.
constexpr std::size_t kRowsTogether = 32;
/// From this size on, few are looked for without the others.
constexpr std::size_t kManyDirections = 2048;
constexpr int kMostIterations = 16;

[[noreturn]] void FailForResidual() {
  throw Error(ErrorCode::kFailed, "the singular values of a matrix are not those that it has");
}

/// Singular values, largest first, with their vectors on the right.
Singular LargestFirst(const Bidiagonal& parts, const Poll& poll) {
  const std::vector<double>& values = parts.diagonal;
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order,
                           [&](std::size_t i, std::size_t j) { return values[i] > values[j]; });
  const double largest = order.empty() ? 0 : values[order.front()];
  std::erase_if(order, [&](std::size_t i) { return !(values[i] > kNoDirection * largest); });
  Singular result;
  result.right = Matrix(order.size(), parts.right.columns, poll);
  for (std::size_t i = 0; i < order.size(); ++i) {
    poll();
    result.values.push_back(values[order[i]]);
    std::ranges::copy(parts.right.row(order[i]), result.right.row(i).begin());
  }
  return result;
}

void KeepFirst(Singular& parts, std::size_t count, const Poll& poll) {
  if (count >= parts.values.size()) return;
  parts.values.resize(count);
  if (parts.left.rows > count) parts.left = FirstRows(parts.left, count, poll);
  parts.right = FirstRows(parts.right, count, poll);
}

/// Makes the vectors on the left: a·right, over the values.
void TakeLeft(Singular& result, const Matrix& a, const Poll& poll) {
  result.left = MultiplyTransposed(result.right, a, poll);
  std::size_t clear = 0;
  for (std::size_t i = 0; i < result.values.size(); ++i) {
    poll();
    const double norm = Norm(result.left.row(i));
    // Written so that NaN fails.
    if (!(std::abs(norm - result.values[i]) <= kResidual * result.values[0])) FailForResidual();
    ScaleBy(1 / norm, result.left.row(i));
    if (result.values[i] > kClear * result.values[0]) clear = i + 1;
  }
  // What rounding mixed into the vectors of small values lies along those of larger ones.
  result.left = OrthonormalRows(std::move(result.left), poll, clear);
  if (result.left.rows != result.values.size()) FailForResidual();
}

/// Of the largest so many. REQUIRES: as many rows as columns, or more.
Singular DecomposeTall(const Matrix& a, std::size_t count, const Poll& poll) {
  Singular result;
  if (a.columns > 0) {
    Bidiagonal parts =
        BidiagonalOf(a.rows > a.columns ? TriangleOf(a, poll) : Copied(a, poll), poll);
    Diagonalise(parts, poll);
    result = LargestFirst(parts, poll);
  }
  const double squares = Dot(result.values, result.values);
  const double all = Dot(a.values, a.values);
  if (!(std::abs(squares - all) <= kResidual * all)) FailForResidual();
  KeepFirst(result, count, poll);
  TakeLeft(result, a, poll);
  return result;
}

/// Numbers between -1 and 1 that look random, by a mixer of 64 bits (splitmix64).
Matrix StartingNoise(std::size_t rows, std::size_t columns, const Poll& poll) {
  Matrix noise(rows, columns, poll);
  std::uint64_t state = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    poll();
    for (double& value : noise.row(i)) {
      state += 0x9e3779b97f4a7c15;
      std::uint64_t mixed = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9;
      mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
      mixed ^= mixed >> 31;
      value = static_cast<double>(mixed >> 11) * 0x1p-52 - 1;
    }
  }
  return noise;
}

/// Whether a·right = values·left, and the subspace holds what `count` of them need.
bool IsNear(const Matrix& turned, const Singular& parts, const Poll& poll) {
  Matrix rest = Multiply(parts.right, turned, poll);
  for (std::size_t i = 0; i < rest.rows; ++i) {
    poll();
    AddTo(rest.row(i), -parts.values[i], parts.left.row(i));
    if (Norm(rest.row(i)) > kResidual * parts.values[0]) return false;
  }
  return true;
}

/// Takes out of rows what lies along others, which are orthogonal to each other and of length 1.
void SubtractShadows(ConstMatrixPart others, Matrix& rows, const Poll& poll) {
  Matrix along(others.rows, rows.rows, poll);
  AddProductOf(others, AllOf(Transposed(rows, poll)),
               PartOfMatrix(along, 0, 0, along.rows, along.columns), poll);
  ScaleBy(-1, along.values);
  AddProductOf(AllOf(Transposed(along, poll)), others,
               PartOfMatrix(rows, 0, 0, rows.rows, rows.columns), poll);
}

Singular DecomposeAny(const Matrix& a, std::size_t count, const Poll& poll) {
  if (a.rows >= a.columns) return DecomposeTall(a, count, poll);
  Singular turned = DecomposeTall(Transposed(a, poll), count, poll);
  std::swap(turned.left, turned.right);
  return turned;
}

}  // namespace

Matrix OrthonormalRows(Matrix rows, const Poll& poll, std::size_t clear) {
  std::size_t kept = clear;
  for (std::size_t first = clear; first < rows.rows; first += kRowsTogether) {
    Matrix part(std::min(kRowsTogether, rows.rows - first), rows.columns);
    std::copy_n(rows.row(first).begin(), part.values.size(), part.values.begin());
    std::vector<double> before;
    for (std::size_t i = 0; i < part.rows; ++i) before.push_back(Norm(part.row(i)));
    const std::size_t others = kept;
    for (int times = 0; times < 2; ++times) {
      SubtractShadows(PartOfMatrix(std::as_const(rows), 0, 0, others, rows.columns), part, poll);
    }
    for (std::size_t i = 0; i < part.rows; ++i) {
      poll();
      const std::span<double> own = part.row(i);
      for (int times = 0; times < 2; ++times) {
        for (std::size_t j = others; j < kept; ++j) {
          AddTo(own, -Dot(own, rows.row(j)), rows.row(j));
        }
      }
      const double norm = Norm(own);
      if (norm <= kInSpan * before[i]) continue;
      ScaleBy(1 / norm, own);
      std::ranges::copy(own, rows.row(kept).begin());
      ++kept;
    }
  }
  if (kept < rows.rows) return FirstRows(rows, kept, poll);
  return rows;
}

Singular DecomposeSingular(const Matrix& a, const Poll& poll) {
  return DecomposeAny(a, std::min(a.rows, a.columns), poll);
}

Singular LargestSingular(const Matrix& a, std::size_t count, const Poll& poll) {
  const std::size_t smaller = std::min(a.rows, a.columns);
  count = std::min(count, smaller);
  if (smaller >= kManyDirections && count <= smaller / 4) {
    const Matrix turned = Transposed(a, poll);
    Matrix left = OrthonormalRows(
        Multiply(StartingNoise(count + std::max<std::size_t>(32, count / 4), a.columns, poll),
                 turned, poll),
        poll);
    for (int i = 1; i <= kMostIterations; ++i) {
      const Matrix right = OrthonormalRows(Multiply(left, a, poll), poll);
      left = OrthonormalRows(Multiply(right, turned, poll), poll);
      if (i % 4 != 0) continue;
      Singular parts = DecomposeSingular(Multiply(left, a, poll), poll);
      parts.left = Multiply(parts.left, left, poll);
      KeepFirst(parts, count, poll);
      if (IsNear(turned, parts, poll)) return parts;
    }
  }
  return DecomposeAny(a, count, poll);
}

Matrix Compose(const Singular& parts, const Poll& poll) {
  Matrix left = Copied(parts.left, poll);
  for (std::size_t i = 0; i < left.rows; ++i) {
    poll();
    ScaleBy(parts.values[i], left.row(i));
  }
  return Multiply(Transposed(left, poll), parts.right, poll);
}

Matrix Polar(const Matrix& a, const Poll& poll) {
  Singular parts = DecomposeSingular(a, poll);
  return Multiply(Transposed(parts.left, poll), parts.right, poll);
}

std::uint64_t SingularBytesOfPart(std::uint64_t rows, std::uint64_t columns) {
  return RotatedBytes(std::min(rows, columns));
}

std::uint64_t SingularBytes(std::uint64_t rows, std::uint64_t columns) {
  const auto [smaller, larger] = std::minmax(rows, columns);
  // Reflections, or rows that are made orthogonal, and their transpose: each as long as the matrix.
  const std::uint64_t together = std::min<std::uint64_t>(kRowsTogether, smaller);
  // Reflections of all steps are half a square; the rest are those of a run, and sweeps that wait.
  constexpr std::uint64_t kBesideSquare = 400;
  // The matrix transposed, as it is turned or multiplied; what becomes of it; one side's vectors;
  // and one more, since what is freed between others is not always of use again.
  return 4 * BytesOfMatrix(rows, columns) + BytesOfMatrix(smaller, smaller) +
         BytesOfNumbers(2 * together * larger + kBesideSquare * smaller) + kProductBytes;
}

}  // namespace weightsmith::internal
