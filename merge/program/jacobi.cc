#include "merge/program/jacobi.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "core/base/error.h"

namespace weightsmith::internal {
namespace {

/// Rows that are rotated with as many others at once.
constexpr std::size_t kBlockRows = 32;
/// Far more than it takes, which is below ten or so.
constexpr int kMostSweeps = 60;
/// Cosines that rounding leaves.
constexpr double kOrthogonal = 1e-13;
constexpr double kNotTurned = 1e-15;

/// A run of rows, or two.
struct RowPair {
  std::size_t first = 0;
  std::size_t first_count = 0;
  std::size_t second = 0;
  std::size_t second_count = 0;

  std::size_t count() const { return first_count + second_count; }
  std::size_t operator[](std::size_t i) const {
    return i < first_count ? first + i : second + i - first_count;
  }
};

std::vector<RowPair> PairsOfBlocks(std::size_t rows) {
  if (rows <= kBlockRows) return {{.first = 0, .first_count = rows}};
  const auto count = [&](std::size_t first) { return std::min(kBlockRows, rows - first); };
  std::vector<RowPair> pairs;
  for (std::size_t i = 0; i < rows; i += kBlockRows) {
    for (std::size_t j = i + kBlockRows; j < rows; j += kBlockRows) {
      pairs.push_back({i, count(i), j, count(j)});
    }
  }
  return pairs;
}

/// Whether the cosine of two of the vectors with these products is more than `limit`.
bool MeetObliquely(const Matrix& products, std::size_t i, std::size_t j, double limit) {
  const double norms = std::sqrt(products.at(i, i)) * std::sqrt(products.at(j, j));
  return norms > 0 && std::abs(products.at(i, j)) > limit * norms;
}

bool AnyMeetObliquely(const Matrix& products) {
  for (std::size_t i = 0; i < products.rows; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (MeetObliquely(products, i, j, kOrthogonal)) return true;
    }
  }
  return false;
}

void TurnRows(std::span<double> p, std::span<double> q, double cosine, double sine) {
  for (std::size_t i = 0; i < p.size(); ++i) {
    const double before = p[i];
    p[i] = cosine * before - sine * q[i];
    q[i] = sine * before + cosine * q[i];
  }
}

/// Turns two of the vectors with these products so that they are orthogonal.
void TurnPair(Matrix& products, Matrix& turned, std::size_t p, std::size_t q) {
  const double slope = (products.at(q, q) - products.at(p, p)) / (2 * products.at(p, q));
  const double tangent = (slope >= 0 ? 1 : -1) / (std::abs(slope) + std::sqrt(1 + slope * slope));
  const double cosine = 1 / std::sqrt(1 + tangent * tangent);
  const double sine = cosine * tangent;
  TurnRows(products.row(p), products.row(q), cosine, sine);
  for (std::size_t i = 0; i < products.rows; ++i) {
    const double before = products.at(i, p);
    products.at(i, p) = cosine * before - sine * products.at(i, q);
    products.at(i, q) = sine * before + cosine * products.at(i, q);
  }
  TurnRows(turned.row(p), turned.row(q), cosine, sine);
}

/// An orthogonal matrix that makes vectors with these products more nearly orthogonal: every two
/// are turned once. The largest come first.
Matrix TurnApart(Matrix products) {
  Matrix turned(products.rows, products.rows);
  for (std::size_t i = 0; i < turned.rows; ++i) turned.at(i, i) = 1;
  for (std::size_t p = 0; p < products.rows; ++p) {
    for (std::size_t q = p + 1; q < products.rows; ++q) {
      if (MeetObliquely(products, p, q, kNotTurned)) TurnPair(products, turned, p, q);
    }
  }
  std::vector<std::size_t> order(products.rows);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(
      order, [&](std::size_t i, std::size_t j) { return products.at(i, i) > products.at(j, j); });
  Matrix sorted(turned.rows, turned.columns);
  for (std::size_t i = 0; i < order.size(); ++i) {
    std::ranges::copy(turned.row(order[i]), sorted.row(i).begin());
  }
  return sorted;
}

/// Whether something was to be done.
bool TurnBlocks(const RowPair& pair, Matrix& all, const Poll& poll) {
  Matrix taken(pair.count(), all.columns);
  for (std::size_t i = 0; i < pair.count(); ++i) {
    std::ranges::copy(all.row(pair[i]), taken.row(i).begin());
  }
  Matrix products = MultiplyTransposed(taken, taken, poll);
  if (!AnyMeetObliquely(products)) return false;
  taken = Multiply(TurnApart(std::move(products)), taken, poll);
  for (std::size_t i = 0; i < pair.count(); ++i) {
    std::ranges::copy(taken.row(i), all.row(pair[i]).begin());
  }
  return true;
}

}  // namespace

void OrthogonaliseRows(Matrix& rows, const Poll& poll) {
  const std::vector<RowPair> pairs = PairsOfBlocks(rows.rows);
  for (int sweep = 0; sweep < kMostSweeps; ++sweep) {
    bool turned = false;
    for (const RowPair& pair : pairs) turned = TurnBlocks(pair, rows, poll) || turned;
    if (!turned) return;
  }
  throw Error(ErrorCode::kFailed, "the singular values of a matrix do not converge");
}

std::uint64_t OrthogonaliseBytes(std::size_t columns) {
  constexpr std::uint64_t kCopies = 3;  // rows, transposed, and turned
  constexpr std::uint64_t kSquares = 4;
  constexpr std::uint64_t kRows = 2 * kBlockRows;
  return BytesOfNumbers(kRows * (kCopies * columns + kSquares * kRows)) + kProductBytes;
}

}  // namespace weightsmith::internal
