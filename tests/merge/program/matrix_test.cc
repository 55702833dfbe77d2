#include "merge/program/matrix.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <stdexcept>
#include <vector>

namespace weightsmith::internal {
namespace {

using ::testing::ElementsAreArray;

const Poll kGoOn = [] {};

/// Numbers between -1 and 1, of 24 bits.
Matrix Pattern(std::size_t rows, std::size_t columns, std::size_t seed) {
  Matrix matrix(rows, columns);
  for (std::size_t i = 0; i < matrix.values.size(); ++i) {
    const std::size_t mixed = (i + seed) * 2654435761u % 16777216u;
    matrix.values[i] = static_cast<double>(mixed) / 8388608 - 1;
  }
  return matrix;
}

TEST(Multiply, SumsEveryElementInTheOrderOfTheInnerDimension) {
  // Blocks, strips and vectors end inside.
  for (const auto& [rows, inner, columns] :
       {std::array<std::size_t, 3>{7, 300, 21}, {1, 1, 1}, {4, 256, 16}, {5, 257, 33}, {3, 0, 2}}) {
    const Matrix a = Pattern(rows, inner, 1);
    const Matrix b = Pattern(inner, columns, 5);
    Matrix expected(rows, columns);
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t j = 0; j < columns; ++j) {
        for (std::size_t k = 0; k < inner; ++k) expected.at(i, j) += a.at(i, k) * b.at(k, j);
      }
    }
    EXPECT_THAT(Multiply(a, b, kGoOn).values, ElementsAreArray(expected.values));
    EXPECT_THAT(MultiplyTransposed(a, Transposed(b, kGoOn), kGoOn).values,
                ElementsAreArray(expected.values));
  }
}

/// Parts in the order from the last, as threads may come to them.
const Poll kFromBehind([] {},
                       [](std::size_t count, const Poll::Part& part) {
                         while (count > 0) part(--count);
                       });

TEST(Multiply, HasTheBitsOfOneSumWhereItIsShared) {
  // Parts end inside, and have few rows, columns and terms.
  for (const auto& [rows, inner, columns] :
       {std::array<std::size_t, 3>{300, 290, 270}, {700, 32, 290}, {5, 300, 2000}}) {
    const Matrix a = Pattern(rows, inner, 2);
    const Matrix b = Pattern(inner, columns, 7);
    Matrix expected(rows, columns);
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t k = 0; k < inner; ++k) {
        for (std::size_t j = 0; j < columns; ++j) expected.at(i, j) += a.at(i, k) * b.at(k, j);
      }
    }
    EXPECT_EQ(Multiply(a, b, kFromBehind).values, expected.values);
  }
}

TEST(Transposed, HasColumnsForRowsInAnyOrder) {
  const Matrix a = Pattern(70, 33, 3);
  EXPECT_EQ(Transposed(a, kFromBehind).values, Transposed(a, kGoOn).values);
  EXPECT_EQ(Transposed(Transposed(a, kFromBehind), kFromBehind).values, a.values);
}

TEST(AreFinite, LooksAtEveryElement) {
  std::vector<float> values(2'100'000, 1.0f);
  const std::array<std::span<const float>, 2> in{std::span<const float>(values).first(3), values};
  EXPECT_TRUE(AreFinite(in, kGoOn));
  values.back() = std::numeric_limits<float>::infinity();
  EXPECT_FALSE(AreFinite(in, kGoOn));
  values.back() = 1;
  values[1'048'576] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_FALSE(AreFinite(in, kFromBehind));
}

TEST(Multiply, EndsAtOnceWhereThePollThrows) {
  const Matrix a = Pattern(64, 64, 1);
  int left = 2;
  const auto poll = [&] {
    if (--left == 0) throw std::runtime_error("interrupted");
  };
  EXPECT_THROW(Multiply(a, a, poll), std::runtime_error);
}

TEST(Transposed, HasColumnsForRows) {
  const Matrix a = Pattern(70, 33, 3);
  const Matrix turned = Transposed(a, kGoOn);
  ASSERT_EQ(turned.rows, 33u);
  for (std::size_t i = 0; i < a.rows; ++i) {
    for (std::size_t j = 0; j < a.columns; ++j) EXPECT_EQ(turned.at(j, i), a.at(i, j));
  }
}

TEST(Stacked, HasAllRows) {
  const std::array parts{Pattern(2, 3, 1), Pattern(1, 3, 2)};
  const Matrix all = Stacked(parts, kGoOn);
  EXPECT_EQ(all.rows, 3u);
  EXPECT_THAT(all.row(2), ElementsAreArray(parts[1].values));
  EXPECT_THAT(FirstRows(all, 2, kGoOn).values, ElementsAreArray(parts[0].values));
}

TEST(MatrixSizeOf, JoinsAllButTheFirstDimension) {
  const MatrixSize size = MatrixSizeOf({4, 3, 2, 5});
  EXPECT_EQ(size.rows, 4u);
  EXPECT_EQ(size.columns, 30u);
  EXPECT_EQ(size.smaller(), 4u);
}

}  // namespace
}  // namespace weightsmith::internal
