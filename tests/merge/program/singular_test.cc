#include "merge/program/singular.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <stdexcept>
#include <utility>

#include "merge/program/algebra.h"
#include "merge/program/jacobi.h"

namespace weightsmith::internal {
namespace {

const Poll kPollNothing = [] {};

/// Numbers between -1 and 1 that look random.
Matrix Noisy(std::size_t rows, std::size_t columns, std::uint64_t seed) {
  Matrix matrix(rows, columns);
  std::uint64_t state = seed * 7919 + 1;
  for (double& value : matrix.values) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    value = static_cast<double>(state >> 33) / static_cast<double>(1u << 30) - 1;
  }
  return matrix;
}

double LargestDifference(const Matrix& a, const Matrix& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    largest = std::max(largest, std::abs(a.values[i] - b.values[i]));
  }
  return largest;
}

/// How far rows are from being of length 1 and orthogonal.
double Obliqueness(const Matrix& rows) {
  Matrix products = MultiplyTransposed(rows, rows, kPollNothing);
  for (std::size_t i = 0; i < products.rows; ++i) products.at(i, i) -= 1;
  return LargestDifference(products, Matrix(products.rows, products.columns));
}

void ExpectParts(const Matrix& a, const Singular& parts) {
  EXPECT_LT(Obliqueness(parts.left), 1e-11);
  EXPECT_LT(Obliqueness(parts.right), 1e-11);
  EXPECT_TRUE(std::ranges::is_sorted(parts.values, std::greater<>()));
  EXPECT_LT(LargestDifference(Compose(parts, kPollNothing), a), 1e-8 * parts.values.front());
}

TEST(DecomposeSingular, GivesTheMatrixBackInParts) {
  for (const auto& [rows, columns] :
       {std::pair<std::size_t, std::size_t>{5, 5}, {9, 4}, {4, 9}, {1, 7}, {70, 33}, {100, 100}}) {
    const Matrix a = Noisy(rows, columns, rows);
    const Singular parts = DecomposeSingular(a, kPollNothing);
    EXPECT_EQ(parts.values.size(), std::min(rows, columns));
    ExpectParts(a, parts);
  }
}

TEST(DecomposeSingular, OfMoreThanEigenIsGivenDoesTheSame) {
  const std::size_t size = kMostForEigen + 20;
  const Matrix a = Noisy(size + 7, size, 3);
  ExpectParts(a, DecomposeSingular(a, kPollNothing));
}

TEST(DecomposeSingular, LeavesOutDirectionsThatAreNotThere) {
  const Matrix a = Multiply(Noisy(60, 3, 1), Noisy(3, 50, 2), kPollNothing);
  const Singular parts = DecomposeSingular(a, kPollNothing);
  EXPECT_EQ(parts.values.size(), 3u);
  ExpectParts(a, parts);
  EXPECT_TRUE(DecomposeSingular(Matrix(4, 6), kPollNothing).values.empty());
}

TEST(OrthogonaliseRows, KeepsSmallRowsOrthogonalToLargeOnes) {
  // Rows from 1 to 1e-7, mixed.
  const std::size_t size = 80;
  Matrix rows = OrthonormalRows(Noisy(size, size, 4), kPollNothing);
  for (std::size_t i = 0; i < size; ++i) {
    ScaleBy(std::pow(10.0, -7.0 * static_cast<double>(i) / (size - 1)), rows.row(i));
  }
  rows = Multiply(OrthonormalRows(Noisy(size, size, 5), kPollNothing), rows, kPollNothing);
  OrthogonaliseRows(rows, kPollNothing);
  for (std::size_t i = 0; i < size; ++i) ScaleBy(1 / Norm(rows.row(i)), rows.row(i));
  EXPECT_LT(Obliqueness(rows), 1e-11);
}

TEST(LargestSingular, OfAnyMatrixAreTheFirstOfAll) {
  const Matrix a = Noisy(40, 30, 9);
  const Singular all = DecomposeSingular(a, kPollNothing);
  const Singular few = LargestSingular(a, 4, kPollNothing);
  ASSERT_EQ(few.values.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(few.values[i], all.values[i]);
}

TEST(LargestSingular, OfManyAreFoundInASubspace) {
  // Eight large ones, and noise.
  const std::size_t size = 2048;
  Matrix a = Multiply(Noisy(size, 8, 1), Noisy(8, size, 2), kPollNothing);
  AddTo(a, 1e-3, Noisy(size, size, 3));
  const Singular parts = LargestSingular(a, 8, kPollNothing);
  ASSERT_EQ(parts.values.size(), 8u);
  EXPECT_LT(Obliqueness(parts.left), 1e-11);
  Matrix turned = MultiplyTransposed(parts.right, a, kPollNothing);
  for (std::size_t i = 0; i < 8; ++i) {
    AddTo(turned.row(i), -parts.values[i], parts.left.row(i));
    EXPECT_LT(Norm(turned.row(i)), 1e-8 * parts.values[0]);
  }
}

TEST(Polar, HasSingularValuesOfOne) {
  const Matrix turned = Polar(Noisy(12, 12, 6), kPollNothing);
  EXPECT_LT(Obliqueness(turned), 1e-12);
}

TEST(DecomposeSingular, EndsAtOnceWhereThePollThrows) {
  int left = 5;
  const auto poll = [&] {
    if (--left == 0) throw std::runtime_error("interrupted");
  };
  EXPECT_THROW(DecomposeSingular(Noisy(64, 64, 1), poll), std::runtime_error);
}

}  // namespace
}  // namespace weightsmith::internal
