#include "merge/program/reduction.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
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

/// What a dot is documented to be: 16 sums of every 16th product of a cell's run in a tile (one
/// where each column is a cell), added in their order to what the block has of the cell; then
/// blocks in their order.
template <class Real>
std::vector<double> DotInOrder(const Grid& cells, const std::vector<Real>& x,
                               const std::vector<Real>& y) {
  std::vector<double> results(cells.CellCount(x.size()));
  for (std::size_t block = 0; block < x.size(); block += kReductionBlock) {
    std::vector<double> of_block(results.size());
    const std::size_t end = std::min<std::size_t>(x.size(), block + kReductionBlock);
    for (std::size_t at = block; at < end;) {
      const std::size_t cell = cells.CellOf(at);
      const std::size_t tile_end = std::min<std::size_t>(end, (at / kTile + 1) * kTile);
      double lanes[16] = {};
      for (std::size_t i = 0; at < tile_end && cells.CellOf(at) == cell; ++i, ++at) {
        if (i > 0 && at % cells.columns == 0) break;
        lanes[i % 16] += static_cast<double>(x[at]) * static_cast<double>(y[at]);
      }
      double part = 0;
      for (const double lane : lanes) part += lane;
      of_block[cell] += part;
    }
    for (std::size_t cell = 0; cell < results.size(); ++cell) results[cell] += of_block[cell];
  }
  return results;
}

/// x·x, x·y and y·y, with tiles in the order of elements or of columns.
template <class Real>
std::array<std::vector<double>, 3> PairGathered(const Grid& cells, const std::vector<Real>& x,
                                                const std::vector<Real>& y, bool by_columns) {
  const Reduction reduction{.code = ReductionCode::kDot, .cells = cells};
  ReductionBlocks xx(reduction, x.size());
  ReductionBlocks xy(reduction, x.size());
  ReductionBlocks yy(reduction, x.size());
  const auto take = [&](std::uint64_t from, std::uint64_t to) {
    ReductionBlocks::TakePair<Real>({&xx, &xy, &yy}, from, std::span(x).subspan(from, to - from),
                                    std::span(y).subspan(from, to - from));
  };
  for (std::uint64_t block = 0; block < x.size(); block += kReductionBlock) {
    const std::uint64_t end = std::min<std::uint64_t>(x.size(), block + kReductionBlock);
    constexpr std::uint64_t kWidth = 272;
    for (std::uint64_t column = 0; by_columns && column < cells.columns; column += kWidth) {
      const std::uint64_t width = std::min(kWidth, cells.columns - column);
      for (std::uint64_t row = block / cells.columns; row * cells.columns < end; ++row) {
        const std::uint64_t from = row * cells.columns + column;
        if (std::max(block, from) < std::min(end, from + width)) {
          take(std::max(block, from), std::min(end, from + width));
        }
      }
    }
    for (std::uint64_t at = block; !by_columns && at < end; at += kTile) {
      take(at, std::min<std::uint64_t>(end, at + kTile));
    }
  }
  return {xx.Fold(), xy.Fold(), yy.Fold()};
}

TYPED_TEST(ReductionOf, APairHasTheSumsOfEachInTheirOrder) {
  const std::size_t n = kReductionBlock + 12'345;
  const auto x = Values<TypeParam>(n, 8);
  const auto y = Values<TypeParam>(n, 9);
  for (const Grid& cells :
       {Grid::Whole(n), Grid::Rows(7), Grid::Rows(333), Grid::Rows(5'001), Grid::Columns(3),
        Grid::Columns(333), Grid::Columns(5'001), Grid{1'000, 128, 128}}) {
    const std::array expected{DotInOrder(cells, x, x), DotInOrder(cells, x, y),
                              DotInOrder(cells, y, y)};
    for (const std::string& target : SimdTargets()) {
      ForceSimdTarget(target);
      EXPECT_EQ(PairGathered(cells, x, y, false), expected) << target << cells.columns;
      if (cells.cell_columns != 1) continue;
      EXPECT_EQ(PairGathered(cells, x, y, true), expected) << target << cells.columns;
    }
    ForceSimdTarget("");
    const Reduction one{.code = ReductionCode::kDot, .cells = cells};
    EXPECT_EQ(Gathered(one, x, y, false), expected[1]) << cells.columns;
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
