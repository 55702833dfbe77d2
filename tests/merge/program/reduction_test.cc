#include "merge/program/reduction.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "core/base/simd.h"

namespace weightsmith::internal {
namespace {

template <class Real>
std::vector<Real> Values(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  std::vector<Real> values(n);
  for (Real& value : values) value = static_cast<Real>(normal(random));
  return values;
}

/// Gives the blocks their tiles.
template <class Real>
std::vector<double> Gathered(const Reduction& reduction, const std::vector<Real>& x,
                             const std::vector<Real>& y, bool backwards) {
  ReductionBlocks blocks(reduction, x.size());
  const std::uint64_t count = (x.size() + kReductionBlock - 1) / kReductionBlock;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t block = backwards ? count - 1 - i : i;
    const std::uint64_t end = std::min<std::uint64_t>(x.size(), (block + 1) * kReductionBlock);
    for (std::uint64_t at = block * kReductionBlock; at < end; at += kTile) {
      const std::size_t n = std::min<std::uint64_t>(kTile, end - at);
      blocks.Take(at, std::span(x).subspan(at, n), std::span(y).subspan(at, n));
    }
  }
  return blocks.Fold();
}

template <class Real>
class ReductionOf : public ::testing::Test {};
using Reals = ::testing::Types<float, double>;
TYPED_TEST_SUITE(ReductionOf, Reals);

TYPED_TEST(ReductionOf, AgreesWithLongDoubles) {
  for (const std::size_t n : {1u, 15u, 16u, 17u, 1023u, 1025u, 300'001u}) {
    const auto x = Values<TypeParam>(n, 1);
    const auto y = Values<TypeParam>(n, 2);
    long double sum = 0;
    long double dot = 0;
    double largest = 0;
    for (std::size_t i = 0; i < n; ++i) {
      sum += x[i];
      dot += static_cast<long double>(x[i]) * y[i];
      largest = std::max<double>(largest, std::abs(x[i]));
    }
    const double allowed = 1e-14 * static_cast<double>(n);
    const auto one = [&](ReductionCode code) {
      return Gathered<TypeParam>({.code = code}, x, y, false).front();
    };
    EXPECT_NEAR(one(ReductionCode::kSum), static_cast<double>(sum), allowed) << n;
    EXPECT_NEAR(one(ReductionCode::kDot), static_cast<double>(dot), allowed) << n;
    EXPECT_EQ(one(ReductionCode::kLargest), largest) << n;
  }
}

TYPED_TEST(ReductionOf, DoesNotDependOnTheOrderOfBlocks) {
  const auto x = Values<TypeParam>(3 * kReductionBlock + 12'345, 3);
  for (const ReductionCode code : {ReductionCode::kSum, ReductionCode::kDot}) {
    EXPECT_EQ(Gathered<TypeParam>({.code = code}, x, x, false),
              Gathered<TypeParam>({.code = code}, x, x, true));
  }
}

TYPED_TEST(ReductionOf, RowsHaveTheirOwnResults) {
  // Rows that end inside tiles and inside blocks.
  const std::uint64_t columns = 70'001;
  const std::uint64_t rows = 5;
  const auto x = Values<TypeParam>(rows * columns, 4);
  const Reduction reduction{.code = ReductionCode::kLargest, .cells = Grid::Rows(columns)};
  const std::vector<double> largest = Gathered<TypeParam>(reduction, x, x, true);
  ASSERT_EQ(largest.size(), rows);
  for (std::uint64_t row = 0; row < rows; ++row) {
    double expected = 0;
    for (std::uint64_t i = 0; i < columns; ++i) {
      expected = std::max<double>(expected, std::abs(x[row * columns + i]));
    }
    EXPECT_EQ(largest[row], expected);
  }
}

TYPED_TEST(ReductionOf, BlocksHaveTheirOwnResults) {
  const std::uint64_t columns = 1'000;
  const std::uint64_t rows = 700;
  const Grid cells{.columns = columns, .cell_rows = 128, .cell_columns = 128};
  const auto x = Values<TypeParam>(rows * columns, 4);
  const Reduction reduction{.code = ReductionCode::kLargest, .cells = cells};
  const std::vector<double> largest = Gathered<TypeParam>(reduction, x, x, true);
  std::vector<double> expected(6 * 8);
  for (std::uint64_t row = 0; row < rows; ++row) {
    for (std::uint64_t column = 0; column < columns; ++column) {
      double& cell = expected[row / 128 * 8 + column / 128];
      cell = std::max<double>(cell, std::abs(x[row * columns + column]));
    }
  }
  EXPECT_EQ(largest, expected);
}

TEST(Reduction, CellsOfAWideRowTakeNoRoomForThoseInFrontOfThem) {
  // Ten blocks in one row of cells: 1 result for each cell, however far along the row.
  const std::uint64_t columns = 10 * kReductionBlock + 7;
  const Grid cells{.columns = columns, .cell_rows = 128, .cell_columns = 128};
  const auto x = Values<float>(columns, 9);
  const Reduction reduction{.code = ReductionCode::kLargest, .cells = cells};
  const std::vector<double> largest = Gathered<float>(reduction, x, x, true);
  ASSERT_EQ(largest.size(), columns / 128 + 1);
  for (std::size_t cell = 0; cell < largest.size(); ++cell) {
    const std::size_t size = std::min<std::size_t>(128, columns - cell * 128);
    const auto in = std::span(x).subspan(cell * 128, size);
    EXPECT_EQ(largest[cell], Reduce(ReductionCode::kLargest, in, in));
  }
}

TEST(Reduction, IsTheSameOnEveryInstructionSet) {
  const std::vector<float> x = Values<float>(12'345, 6);
  const std::vector<float> y = Values<float>(12'345, 7);
  for (const ReductionCode code :
       {ReductionCode::kSum, ReductionCode::kDot, ReductionCode::kLargest}) {
    const double expected = Reduce(code, x, y);
    for (const std::string& target : SimdTargets()) {
      ForceSimdTarget(target);
      EXPECT_EQ(Reduce(code, x, y), expected) << target;
    }
    ForceSimdTarget("");
  }
}

TEST(Reduction, OfNothing) {
  EXPECT_EQ(ReductionBlocks({.code = ReductionCode::kSum}, 0).Fold(), std::vector<double>{0});
  const Reduction rows{.code = ReductionCode::kSum, .cells = Grid::Rows(8)};
  EXPECT_EQ(ReductionBlocks(rows, 0).Fold(), std::vector<double>{});
}

TEST(Reduction, TheLargestOverlooksNan) {
  std::vector<float> x = Values<float>(100, 5);
  const double expected = Reduce(ReductionCode::kLargest, x, x);
  x.push_back(std::numeric_limits<float>::quiet_NaN());
  EXPECT_EQ(Reduce(ReductionCode::kLargest, x, x), expected);
  EXPECT_EQ(Reduce(ReductionCode::kLargest, std::span<const float>(x).last(1), {}), 0);
}

}  // namespace
}  // namespace weightsmith::internal
