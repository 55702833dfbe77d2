// Sums of rows, columns and blocks.
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "core/base/simd.h"
#include "merge/program/reduction.h"
#include "tests/merge/tape_harness.h"

namespace weightsmith::internal {
namespace {

template <class Real>
std::vector<Real> Drawn(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  std::vector<Real> values(n);
  for (Real& value : values) value = static_cast<Real>(normal(random));
  return values;
}

template <class Real>
std::vector<double> Folded(const Reduction& reduction, const std::vector<Real>& x,
                           const std::vector<Real>& y, bool backwards = false) {
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
class CellsOf : public ::testing::Test {
 protected:
  void Check(const Grid& cells, std::size_t elements) {
    const auto x = Drawn<Real>(elements, 1);
    const auto y = Drawn<Real>(elements, 2);
    std::vector<long double> sums(cells.CellCount(elements));
    std::vector<long double> dots(sums.size());
    for (std::size_t i = 0; i < elements; ++i) {
      sums[cells.CellOf(i)] += x[i];
      dots[cells.CellOf(i)] += static_cast<long double>(x[i]) * y[i];
    }
    for (const std::string& target : SimdTargets()) {
      ForceSimdTarget(target);
      const auto sum = Folded<Real>({.code = ReductionCode::kSum, .cells = cells}, x, y);
      const auto dot = Folded<Real>({.code = ReductionCode::kDot, .cells = cells}, x, y, true);
      ASSERT_EQ(sum.size(), sums.size());
      for (std::size_t cell = 0; cell < sum.size(); ++cell) {
        const double allowed = 1e-14 * static_cast<double>(elements);
        EXPECT_NEAR(sum[cell], static_cast<double>(sums[cell]), allowed) << cell;
        EXPECT_NEAR(dot[cell], static_cast<double>(dots[cell]), allowed) << cell;
      }
      if (first_.empty()) first_ = dot;
      EXPECT_EQ(dot, first_) << target;
    }
    first_.clear();
    ForceSimdTarget("");
  }

 private:
  std::vector<double> first_;
};

using RealsOfCells = ::testing::Types<float, double>;
TYPED_TEST_SUITE(CellsOf, RealsOfCells);

TYPED_TEST(CellsOf, Rows) {
  for (const std::uint64_t columns : {1u, 3u, 16u, 17u, 1000u, 70'001u}) {
    this->Check(Grid::Rows(columns), 4 * 70'001 / columns * columns);
  }
}

TYPED_TEST(CellsOf, Columns) {
  // Narrower and wider than a vector, a tile and a block.
  for (const std::uint64_t columns : {1u, 3u, 7u, 1023u, 1025u, 140'000u}) {
    this->Check(Grid::Columns(columns), (290'000 + columns) / columns * columns);
  }
}

TYPED_TEST(CellsOf, Blocks) {
  this->Check({.columns = 1'000, .cell_rows = 128, .cell_columns = 128}, 300'000);
  this->Check({.columns = 90, .cell_rows = 7, .cell_columns = 1}, 90 * 2'000);
}

TEST(Spread, GivesEachColumnItsNumber) {
  constexpr std::uint64_t kColumns = 70;
  std::vector<double> numbers(kColumns);
  for (std::size_t i = 0; i < kColumns; ++i) numbers[i] = static_cast<double>(i);
  Instruction spread{.code = OpCode::kSpread, .cells = Grid::Columns(kColumns)};
  spread.slot[0] = 0;
  RegisterFile<float> registers(1);
  const Tape tape{.registers = 1, .instructions = {spread}};
  RunTape(tape, registers.all(), kTile, 3 * kTile, {numbers});
  for (std::size_t i = 0; i < kTile; ++i) {
    EXPECT_EQ(registers[0][i], static_cast<float>((3 * kTile + i) % kColumns));
  }
}

}  // namespace
}  // namespace weightsmith::internal
