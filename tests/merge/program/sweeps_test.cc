#include "merge/program/sweeps.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace weightsmith::internal {
namespace {

/// Of a size that is no multiple of any width.
Matrix Waves(std::size_t rows, std::size_t columns) {
  Matrix matrix(rows, columns);
  for (std::size_t i = 0; i < matrix.values.size(); ++i) {
    matrix.values[i] = std::sqrt(static_cast<double>(i % 17)) - 2;
  }
  return matrix;
}

TEST(RotateRows, TurnsEachRowWithTheNextInTheOrderOfSweeps) {
  Matrix rows = Waves(7, 37);
  Matrix expected = rows;
  const std::vector<Sweep> sweeps{{.first = 1, .rotations = {{0.6, 0.8}, {0.8, -0.6}, {0, 1}}},
                                  {.first = 0, .rotations = {{-0.8, 0.6}, {0.28, 0.96}}},
                                  {.first = 5, .rotations = {{0.6, -0.8}}}};
  for (const Sweep& sweep : sweeps) {
    for (std::size_t r = 0; r < sweep.rotations.size(); ++r) {
      const auto [cosine, sine] = sweep.rotations[r];
      for (std::size_t j = 0; j < rows.columns; ++j) {
        double& upper = expected.at(sweep.first + r, j);
        double& lower = expected.at(sweep.first + r + 1, j);
        const double before = upper;
        upper = cosine * before + sine * lower;
        lower = cosine * lower - sine * before;
      }
    }
  }
  RotateRows(sweeps, rows, [] {});
  EXPECT_EQ(rows.values, expected.values);
}

TEST(AddRowsTo, AddsThemInTheirOrder) {
  const Matrix rows = Waves(11, 41);
  const std::vector<double> factors{0.1, -3, 1e10, 0.7, -1e10, 5, 0.3, 0, 2};
  std::vector<double> sum(39, 0.5);
  std::vector<double> expected = sum;
  for (std::size_t i = 0; i < factors.size(); ++i) {
    for (std::size_t j = 0; j < sum.size(); ++j) expected[j] += factors[i] * rows.at(i + 1, j + 2);
  }
  AddRowsTo(factors, PartOfMatrix(rows, 1, 2, factors.size(), sum.size()), sum, [] {});
  EXPECT_EQ(sum, expected);
}

TEST(AddRowsTo, HasTheSameBitsInParts) {
  const Matrix rows = Waves(1050, 1100);
  std::vector<double> factors;
  for (std::size_t i = 0; i < rows.rows; ++i) factors.push_back(std::sin(static_cast<double>(i)));
  std::vector<double> sum(rows.columns, 0.5);
  std::vector<double> expected = sum;
  for (std::size_t i = 0; i < factors.size(); ++i) {
    for (std::size_t j = 0; j < sum.size(); ++j) expected[j] += factors[i] * rows.at(i, j);
  }
  const Poll from_behind([] {},
                         [](std::size_t count, const Poll::Part& part) {
                           while (count > 0) part(--count);
                         });
  AddRowsTo(factors, AllOf(rows), sum, from_behind);
  EXPECT_EQ(sum, expected);
}

}  // namespace
}  // namespace weightsmith::internal
