#include "merge/program/singular.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <stdexcept>
#include <utility>
#include <vector>

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
  const double largest = parts.values.empty() ? 0 : parts.values.front();
  EXPECT_LE(LargestDifference(Compose(parts, kPollNothing), a), 1e-8 * largest);
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

/// Of such singular values, mixed on both sides.
Matrix WithValues(const std::vector<double>& values, std::uint64_t seed) {
  const std::size_t size = values.size();
  Matrix rows = OrthonormalRows(Noisy(size, size, seed), kPollNothing);
  for (std::size_t i = 0; i < size; ++i) ScaleBy(values[i], rows.row(i));
  return Multiply(OrthonormalRows(Noisy(size, size, seed + 1), kPollNothing), rows, kPollNothing);
}

TEST(DecomposeSingular, FindsValuesThatAreEqualOrNearlySo) {
  // As of directions of several matrices, one below the other.
  for (const std::size_t size : {2u, 3u, 15u, 17u, 32u, 33u, 48u, 72u}) {
    std::vector<double> values(size, 1);
    for (std::size_t i = 0; i < size / 4; ++i) values[i] = 1 + 1e-13 * static_cast<double>(i);
    for (std::size_t i = size / 2; i < size; ++i) values[i] = std::sqrt(2.0);
    values.back() = 1e-7;
    const Singular parts = DecomposeSingular(WithValues(values, size), kPollNothing);
    EXPECT_EQ(parts.values.size(), size);
    std::ranges::sort(values, std::greater<>());
    for (std::size_t i = 0; i < size; ++i) EXPECT_NEAR(parts.values[i], values[i], 1e-13);
    ExpectParts(WithValues(values, size),
                DecomposeSingular(WithValues(values, size), kPollNothing));
    const Matrix own = OrthonormalRows(Noisy(size, 2 * size, size), kPollNothing);
    const Matrix other = OrthonormalRows(Noisy(size, 2 * size, size + 1), kPollNothing);
    const std::vector<Matrix> stack{own, other, FirstRows(own, size / 2, kPollNothing)};
    ExpectParts(Stacked(stack, kPollNothing),
                DecomposeSingular(Stacked(stack, kPollNothing), kPollNothing));
  }
}

TEST(DecomposeSingular, FindsValuesFarSmallerThanTheLargest) {
  for (const double step : {-8.0, 8.0}) {
    std::vector<double> values;
    for (int i = 0; i < 80; ++i) values.push_back(std::pow(10.0, step * i / 79));
    ExpectParts(WithValues(values, 4), DecomposeSingular(WithValues(values, 4), kPollNothing));
    // Rows and columns that become larger or smaller.
    Matrix graded = Noisy(80, 80, 3);
    for (std::size_t i = 0; i < 80; ++i) {
      for (std::size_t j = 0; j < 80; ++j) graded.at(i, j) *= values[i] * values[j];
    }
    ExpectParts(graded, DecomposeSingular(graded, kPollNothing));
    Matrix diagonal(80, 80);
    for (std::size_t i = 0; i < 80; ++i) diagonal.at(i, i) = values[i];
    for (std::size_t i = 0; i + 1 < 80; ++i) diagonal.at(i, i + 1) = values[79 - i];
    ExpectParts(diagonal, DecomposeSingular(diagonal, kPollNothing));
  }
}

TEST(DecomposeSingular, TakesWhateverHasAFewDirections) {
  const std::size_t size = 40;
  std::vector<Matrix> matrices;
  Matrix constant(size, size + 5);
  std::ranges::fill(constant.values, 0.25);
  matrices.push_back(constant);
  Matrix doubled = Noisy(size, size, 1);  // pairs of equal rows
  for (std::size_t i = 1; i < size; i += 2)
    std::ranges::copy(doubled.row(i - 1), doubled.row(i).begin());
  matrices.push_back(doubled);
  matrices.push_back(Transposed(doubled, kPollNothing));
  Matrix without = Noisy(size, size, 2);  // rows and columns of zeros, first, last and between
  for (std::size_t i = 0; i < size; ++i) {
    for (const std::size_t k : {0, 7, 8, 39}) without.at(i, k) = without.at(k, i) = 0;
  }
  matrices.push_back(without);
  Matrix shifted(size, size);  // its diagonal is 0
  for (std::size_t i = 0; i + 1 < size; ++i) shifted.at(i, i + 1) = 1 + static_cast<double>(i % 3);
  matrices.push_back(shifted);
  Matrix identity(size, size);
  for (std::size_t i = 0; i < size; ++i) identity.at(i, i) = i % 2 == 0 ? 1 : -1;
  matrices.push_back(identity);
  Matrix one(size, size);
  one.at(20, 11) = 1;
  matrices.push_back(one);
  matrices.push_back(Noisy(1, 1, 3));
  matrices.push_back(Matrix(size, 1));
  // The most and the least that f32 has.
  for (const double scale : {1.0, 0x1p126, 0x1p-149, 0x1p-60}) {
    for (Matrix matrix : matrices) {
      ScaleBy(scale, matrix.values);
      ExpectParts(matrix, DecomposeSingular(matrix, kPollNothing));
    }
  }
}

TEST(DecomposeSingular, OfHundredsHasOrthogonalVectors) {
  const Matrix a = Noisy(411, 404, 3);
  ExpectParts(a, DecomposeSingular(a, kPollNothing));
}

TEST(DecomposeSingular, LeavesOutDirectionsThatAreNotThere) {
  const Matrix a = Multiply(Noisy(60, 3, 1), Noisy(3, 50, 2), kPollNothing);
  const Singular parts = DecomposeSingular(a, kPollNothing);
  EXPECT_EQ(parts.values.size(), 3u);
  ExpectParts(a, parts);
  EXPECT_TRUE(DecomposeSingular(Matrix(4, 6), kPollNothing).values.empty());
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
  AddTo(a, 1e-3, Noisy(size, size, 3), kPollNothing);
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
