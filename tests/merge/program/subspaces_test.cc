#include "merge/program/subspaces.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "merge/program/singular.h"

namespace weightsmith::internal {
namespace {

const Poll kNoPoll = [] {};

Matrix NoiseOf(std::size_t rows, std::size_t columns, std::uint64_t seed) {
  Matrix matrix(rows, columns);
  std::uint64_t state = seed * 7919 + 1;
  for (double& value : matrix.values) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    value = static_cast<double>(state >> 33) / static_cast<double>(1u << 30) - 1;
  }
  return matrix;
}

double FarthestApart(const Matrix& a, const Matrix& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    largest = std::max(largest, std::abs(a.values[i] - b.values[i]));
  }
  return largest;
}

Matrix Sum(const std::vector<Matrix>& tasks) {
  Matrix sum(tasks[0].rows, tasks[0].columns);
  for (const Matrix& task : tasks) AddTo(sum, 1, task, kNoPoll);
  return sum;
}

/// Of every method.
std::vector<Matrix> AllOfThem(const std::vector<Matrix>& tasks) {
  const MatrixSize size{tasks[0].rows, tasks[0].columns};
  const TaskMatrix task = [&](std::size_t t) { return tasks[t]; };
  std::vector<Matrix> merged;
  merged.push_back(MergeTaskSingularVectors(tasks.size(), size, task, kNoPoll));
  merged.push_back(MakeIsotropic(Sum(tasks), kNoPoll));
  for (const double common : {0.0, 0.5, 0.75, 0.8, 1.0}) {
    merged.push_back(MergeCommonAndOwn(tasks.size(), size, task, common, kNoPoll));
  }
  for (const CoreMerge merge :
       {CoreMerge::kTaskSingularVectors, CoreMerge::kIsotropic, CoreMerge::kSum}) {
    merged.push_back(MergeInCore(tasks.size(), size, task, 4, merge, kNoPoll));
  }
  return merged;
}

TEST(Subspaces, ScaleWithTheTasksWhateverTheseAre) {
  constexpr std::size_t kRows = 32;
  constexpr std::size_t kColumns = 40;
  const Matrix noise = NoiseOf(kRows, kColumns, 1);
  const Matrix other = NoiseOf(kRows, kColumns, 2);
  Matrix constant(kRows, kColumns);
  std::ranges::fill(constant.values, 0.25);
  Matrix opposite = noise;
  ScaleBy(-1, opposite.values);
  const Matrix few = Multiply(NoiseOf(kRows, 2, 3), NoiseOf(2, kColumns, 4), kNoPoll);
  const Matrix zeros(kRows, kColumns);
  for (const std::vector<Matrix>& tasks :
       std::vector<std::vector<Matrix>>{{noise, other, few},
                                        {noise, noise, noise},
                                        {noise, opposite},
                                        {constant, zeros, other},
                                        {zeros, zeros},
                                        {few, few},
                                        {NoiseOf(1, 9, 1), NoiseOf(1, 9, 2)},
                                        {NoiseOf(9, 1, 1), NoiseOf(9, 1, 2)}}) {
    const std::vector<Matrix> merged = AllOfThem(tasks);
    double largest = 0;
    for (const Matrix& task : tasks) largest = std::max(largest, Norm(task.values));
    for (const Matrix& one : merged) {
      EXPECT_LE(Norm(one.values), 10 * static_cast<double>(tasks.size()) * largest);
    }
    // The most and the least that f32 has; a power of two changes nothing else.
    for (const double scale : {0x1p126, 0x1p-149}) {
      std::vector<Matrix> scaled = tasks;
      for (Matrix& task : scaled) ScaleBy(scale, task.values);
      std::vector<Matrix> again = AllOfThem(scaled);
      for (std::size_t i = 0; i < merged.size(); ++i) {
        ScaleBy(1 / scale, again[i].values);
        EXPECT_EQ(FarthestApart(again[i], merged[i]), 0);
      }
    }
  }
}

TEST(MergeCommonAndOwn, TakesNothingOfATaskThatHasNothingOfItsOwn) {
  // All that they have lies in two directions, which are common.
  const Matrix few = Multiply(NoiseOf(30, 2, 3), NoiseOf(2, 20, 4), kNoPoll);
  Matrix twice = few;
  ScaleBy(2, twice.values);
  const std::vector<Matrix> tasks{few, twice};
  const TaskMatrix task = [&](std::size_t t) { return tasks[t]; };
  const Matrix merged = MergeCommonAndOwn(2, {30, 20}, task, 0.5, kNoPoll);
  EXPECT_LT(FarthestApart(merged, MakeIsotropic(Sum(tasks), kNoPoll)), 1e-12);
}

Matrix DiagonalOf(const std::vector<double>& values) {
  Matrix matrix(values.size(), values.size());
  for (std::size_t i = 0; i < values.size(); ++i) matrix.at(i, i) = values[i];
  return matrix;
}

TEST(MergeTaskSingularVectors, TellsTheEnergyThatEachTaskKeeps) {
  const std::vector<Matrix> tasks = {DiagonalOf({4, 2, 2, 1}), DiagonalOf({0, 3, 0, 0})};
  const TaskMatrix task = [&](std::size_t t) { return tasks[t]; };
  std::vector<double> told(2);
  MergeTaskSingularVectors(2, {4, 4}, task, kNoPoll, Told(told));
  EXPECT_NEAR(told[0], 20.0 / 25, 1e-12);
  EXPECT_NEAR(told[1], 1, 1e-12);
}

TEST(MakeIsotropic, TellsTheSingularValueAndTheRank) {
  std::vector<double> told(3);
  MakeIsotropic(DiagonalOf({4, 2, 0, 0}), kNoPoll, Told(told));
  EXPECT_NEAR(told[0], 1.5, 1e-12);
  EXPECT_EQ(told[1], 2);
  EXPECT_EQ(told[2], 4);
}

TEST(MergeCommonAndOwn, TellsTheSingularValueAndWhatIsCommon) {
  const std::vector<Matrix> tasks = {DiagonalOf({4, 3, 0, 0}), DiagonalOf({4, 0, 2, 0})};
  const TaskMatrix task = [&](std::size_t t) { return tasks[t]; };
  std::vector<double> told(3);
  // Common are 8 and 3, of the sum; beside them the second task has 2, the first nothing.
  MergeCommonAndOwn(2, {4, 4}, task, 0.5, kNoPoll, Told(told));
  EXPECT_NEAR(told[0], (8.0 + 3 + 2) / 4, 1e-9);
  EXPECT_EQ(told[1], 2);
  EXPECT_EQ(told[2], 4);
}

TEST(MergeInCore, TellsTheDirectionsOfTheSpace) {
  const std::vector<Matrix> tasks = {DiagonalOf({4, 3, 2, 1}), DiagonalOf({0, 3, 0, 0})};
  const TaskMatrix task = [&](std::size_t t) { return tasks[t]; };
  std::vector<double> told(2);
  MergeInCore(2, {4, 4}, task, 2, CoreMerge::kSum, kNoPoll, Told(told));
  EXPECT_EQ(told[0], 2);
  EXPECT_EQ(told[1], 4);
}

}  // namespace
}  // namespace weightsmith::internal
