#include "merge/run/survey.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "merge/run/executor.h"
#include "merge/run/single_tensors.h"
#include "tests/merge/model_maker.h"

namespace weightsmith::internal {
namespace {

TEST(Survey, TheRangeIsWithoutTheOutermostHundredths) {
  std::vector<double> numbers;
  for (int i = 200; i >= 0; --i) numbers.push_back(i);
  numbers.push_back(std::nan(""));
  const SurveyedRange range = RangeOf(numbers);
  EXPECT_EQ(range.low, 2);
  EXPECT_EQ(range.high, 198);
}

TEST(Survey, TheRangeIsThatOfSortedNumbers) {
  std::mt19937 random(1);
  std::normal_distribution<double> normal;
  for (const std::size_t n : {2u, 3u, 99u, 100u, 101u, 102u, 5'000u}) {
    std::vector<double> numbers(n);
    for (double& number : numbers) number = std::round(normal(random) * 100);
    std::vector<double> sorted = numbers;
    std::sort(sorted.begin(), sorted.end());
    const auto middle = [](const std::vector<double>& of, double share) {
      const double place = share * static_cast<double>(of.size() - 1);
      return (of[static_cast<std::size_t>(std::floor(place))] +
              of[static_cast<std::size_t>(std::ceil(place))]) /
             2;
    };
    const double least = middle(sorted, 0.01);
    while (sorted.front() < least) sorted.erase(sorted.begin());
    const double most = middle(sorted, 0.99);
    while (sorted.back() > most) sorted.pop_back();
    EXPECT_EQ(RangeOf(numbers).low, sorted.front()) << n;
    EXPECT_EQ(RangeOf(numbers).high, sorted.back()) << n;
  }
}

TEST(Survey, OneNumberIsItsOwnRange) {
  EXPECT_EQ(RangeOf({3}).low, 3);
  EXPECT_EQ(RangeOf({3}).high, 3);
  EXPECT_TRUE(std::isnan(RangeOf({}).low));
}

TEST(Survey, TotalsAreOfPairsOfNumbers) {
  const double none = std::nan("");
  const SurveyedTotals totals = TotalsOf(std::vector{1.0, 10.0, none, 5.0, 2.0, 20.0, 7.0, none});
  EXPECT_EQ(totals.first, 3);
  EXPECT_EQ(totals.second, 30);
  EXPECT_EQ(TotalsOf({}).second, 0);
}

TEST(Survey, TotalsDoNotDependOnTheOrder) {
  const SurveyedTotals there = TotalsOf(std::vector{1e16, 1e16, 1.0, 1.0, 1.0, 1.0});
  const SurveyedTotals back = TotalsOf(std::vector{1.0, 1.0, 1.0, 1.0, 1e16, 1e16});
  EXPECT_EQ(there.first, back.first);
  EXPECT_EQ(there.first, 1e16 + 2);
}

class SurveyRun : public ::testing::Test {
 protected:
  NodeId Cosine(double scope) {
    maker.shapes = {{"w", {20, 10}}, {"v", {3, 4, 5}}};
    const Tensors x{{"w", PatternValues(200, 1)}, {"v", PatternValues(60, 2)}};
    const Tensors y{{"w", PatternValues(200, 3)}, {"v", PatternValues(60, 9)}};
    const NodeId a = maker.Add("a", DType::kF32, x);
    const NodeId b = maker.Add("b", DType::kF32, y);
    return maker.Step("mix", "cosine_b", {a, b}, {0.1, scope});
  }

  ModelMaker maker;
};

TEST_F(SurveyRun, APlanHasATaskOfTheSurveyForEachTensor) {
  const Plan plan = maker.MakePlanOf(Cosine(0));
  ASSERT_EQ(plan.surveys.size(), 1u);
  EXPECT_EQ(plan.surveys.front().plan->tasks.size(), 2u);
  for (const Task& task : plan.tasks) EXPECT_EQ(task.given.size(), 2u);
}

TEST_F(SurveyRun, OfATensorAloneThereIsNone) {
  EXPECT_TRUE(maker.MakePlanOf(Cosine(1)).surveys.empty());
}

TEST_F(SurveyRun, ASampleDoesNotJudgeItsStep) {
  const Report of_model = Sample(maker.MakePlanOf(Cosine(0)), {}, 1 << 16);
  EXPECT_EQ(of_model.steps.at(0).tensors, 2u);
  EXPECT_TRUE(of_model.steps.at(0).unjudged());
}

TEST_F(SurveyRun, ASampleJudgesAStepOfTensorsAlone) {
  EXPECT_FALSE(Sample(maker.MakePlanOf(Cosine(1)), {}, 1 << 16).steps.at(0).unjudged());
}

TEST_F(SurveyRun, ASingleTensorIsWhatTheRunGives) {
  const Plan plan = maker.MakePlanOf(Cosine(0));
  SingleTensors single(plan);
  const auto alone = single.Compute("v", [] {});
  const CheckpointTensor& tensor = *alone->Find("v");
  std::vector<double> values(tensor.info.elements());
  Decode(tensor.info.dtype, alone->Read(tensor), std::span(values));
  internal::Run(plan, {});
  EXPECT_EQ(values, ModelMaker::ReadTensor(maker.Out(), "v"));
}

}  // namespace
}  // namespace weightsmith::internal
