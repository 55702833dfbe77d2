#include "merge/run/executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "core/base/error.h"
#include "tests/merge/model_maker.h"

namespace weightsmith::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

template <class Body>
Error ErrorOf(Body&& body) {
  try {
    body();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error was thrown";
  return Error(ErrorCode::kFailed, "none");
}

class ExecutorTest : public ::testing::Test {
 protected:
  /// Two models whose tensors cross tiles, pieces and blocks.
  NodeId Blend(double alpha, std::size_t n = 1'500'000) {
    const NodeId a =
        maker.Add("a", DType::kF16, {{"x", PatternValues(n, 1)}, {"y", PatternValues(5, 2)}});
    const NodeId b =
        maker.Add("b", DType::kF16, {{"x", PatternValues(n, 3)}, {"y", PatternValues(5, 4)}});
    return maker.Step("mix", "weighted_sum", {a, b}, {alpha});
  }

  /// Runs until the first tensor is done, and stops there.
  void Interrupt(const Plan& plan) const {
    RunOptions options;
    options.threads = 1;
    options.progress = [](const Progress& progress) { return progress.bytes_done < 3'000'000; };
    EXPECT_EQ(ErrorOf([&] { internal::Run(plan, options); }).code(), ErrorCode::kInterrupted);
  }

  void ExpectNothingLeft() const {
    EXPECT_FALSE(std::filesystem::exists(maker.Out()));
    EXPECT_FALSE(std::filesystem::exists(maker.Out().string() + ".partial"));
    EXPECT_FALSE(std::filesystem::exists(maker.Out().string() + ".journal"));
  }

  ModelMaker maker;
};

TEST_F(ExecutorTest, RoundsAChainOnce) {
  const std::vector<double> a = PatternValues(3000, 1);
  const std::vector<double> b = PatternValues(3000, 2);
  const std::vector<double> c = PatternValues(3000, 3);
  const NodeId leaf_a = maker.Add("a", DType::kF16, {{"w", a}});
  const NodeId leaf_b = maker.Add("b", DType::kF16, {{"w", b}});
  const NodeId leaf_c = maker.Add("c", DType::kF16, {{"w", c}});
  const NodeId first = maker.Step("first", "weighted_sum", {leaf_a, leaf_b}, {0.3});
  const NodeId second = maker.Step("second", "weighted_sum", {first, leaf_c}, {0.6});
  internal::Run(maker.MakePlanOf(second, DType::kF32), {});

  const std::vector<double> result = ModelMaker::ReadTensor(maker.Out(), "w");
  const float alpha = 0.3F;
  const float beta = 0.6F;
  for (std::size_t i = 0; i < result.size(); ++i) {
    const float inner = (1 - alpha) * static_cast<float>(a[i]) + alpha * static_cast<float>(b[i]);
    const float outer = (1 - beta) * inner + beta * static_cast<float>(c[i]);
    ASSERT_EQ(static_cast<float>(result[i]), outer) << i;
  }
}

TEST_F(ExecutorTest, GivesTheSameBytesWhateverTheThreadsAndTheWayOfReading) {
  const Plan plan = maker.MakePlanOf(Blend(0.25));
  RunOptions options;
  options.overwrite = true;
  options.threads = 1;
  internal::Run(plan, options);
  const std::string expected = Slurp(maker.Out());
  for (const int threads : {2, 7}) {
    for (const IoBackend io : {IoBackend::kMap, IoBackend::kRead}) {
      options.threads = threads;
      options.io = io;
      internal::Run(plan, options);
      EXPECT_EQ(Slurp(maker.Out()), expected) << threads;
    }
  }
}

TEST_F(ExecutorTest, MeasuresWhatAStepDid) {
  const NodeId a = maker.Add("a", DType::kF32, {{"w", {1, 2, 3, 4}}});
  const NodeId b = maker.Add("b", DType::kF32, {{"w", {1, 2, 5, 8}}});
  const Report report =
      internal::Run(maker.MakePlanOf(maker.Step("mix", "weighted_sum", {a, b}, {0.5})), {});
  ASSERT_EQ(report.steps.size(), 1U);
  const Effect& effect = report.steps[0].effect;
  EXPECT_EQ(effect.elements, 4U);
  EXPECT_EQ(effect.changed, 2U);
  EXPECT_DOUBLE_EQ(effect.change_squares, 1 + 4);
  EXPECT_DOUBLE_EQ(effect.before_squares, 1 + 4 + 9 + 16);
}

TEST_F(ExecutorTest, AWeightOfOneCopiesTheOtherModelAndReadsNothingElse) {
  const Report report = internal::Run(maker.MakePlanOf(Blend(1)), {});
  EXPECT_EQ(report.inputs[0].tensors_read, 0U);
  EXPECT_EQ(report.outputs[0].tensors_copied, 2U);
  EXPECT_EQ(ModelMaker::ReadTensor(maker.Out(), "y"), PatternValues(5, 4));
}

TEST_F(ExecutorTest, GoesOnFromAnInterruptedRunToTheSameBytes) {
  const Plan plan = maker.MakePlanOf(Blend(0.25));
  internal::Run(plan, {});
  const std::string expected = Slurp(maker.Out());
  std::filesystem::remove(maker.Out());

  Interrupt(plan);
  EXPECT_FALSE(std::filesystem::exists(maker.Out()));
  EXPECT_TRUE(std::filesystem::exists(maker.Out().string() + ".partial"));
  EXPECT_TRUE(std::filesystem::exists(maker.Out().string() + ".journal"));

  std::vector<std::string> notes;
  RunOptions options;
  options.note = [&](const std::string& note) { notes.push_back(note); };
  const Report report = internal::Run(plan, options);
  EXPECT_TRUE(report.resumed);
  EXPECT_THAT(notes, ElementsAre(HasSubstr("going on from an interrupted run")));
  EXPECT_EQ(Slurp(maker.Out()), expected);
  EXPECT_FALSE(std::filesystem::exists(maker.Out().string() + ".journal"));
}

TEST_F(ExecutorTest, ResumesToTheSameReport) {
  const Plan plan = maker.MakePlanOf(Blend(0.25));
  const Report whole = internal::Run(plan, {});
  std::filesystem::remove(maker.Out());
  Interrupt(plan);
  const Report resumed = internal::Run(plan, {});
  EXPECT_EQ(resumed.outputs[0].digest, whole.outputs[0].digest);
  EXPECT_EQ(resumed.inputs[1].digest, whole.inputs[1].digest);
  EXPECT_EQ(resumed.steps[0].effect.changed, whole.steps[0].effect.changed);
  EXPECT_EQ(resumed.steps[0].effect.change_squares, whole.steps[0].effect.change_squares);
}

TEST_F(ExecutorTest, StartsAfreshFromAnotherRunsPartial) {
  Interrupt(maker.MakePlanOf(Blend(0.25)));
  maker.expression.nodes.back().parameters[0] = Weights(0.75);
  std::vector<std::string> notes;
  RunOptions options;
  options.note = [&](const std::string& note) { notes.push_back(note); };
  const Report report = internal::Run(maker.MakePlanOf(2), options);
  EXPECT_FALSE(report.resumed);
  EXPECT_THAT(notes, ElementsAre(HasSubstr("starting afresh")));
}

TEST_F(ExecutorTest, DoesNotTrustADamagedJournal) {
  const Plan plan = maker.MakePlanOf(Blend(0.25));
  internal::Run(plan, {});
  const std::string expected = Slurp(maker.Out());
  std::filesystem::remove(maker.Out());
  Interrupt(plan);
  const std::string path = maker.Out().string() + ".journal";
  std::string journal = Slurp(path);
  journal[journal.size() - 10] ^= 1;
  std::ofstream(path, std::ios::binary) << journal;
  EXPECT_FALSE(internal::Run(plan, {}).resumed);
  EXPECT_EQ(Slurp(maker.Out()), expected);
}

TEST_F(ExecutorTest, RefusesToOverwriteAndToWriteOverAnInput) {
  const Plan plan = maker.MakePlanOf(Blend(0.25));
  std::ofstream(maker.Out()) << "mine";
  EXPECT_EQ(ErrorOf([&] { internal::Run(plan, {}); }).code(), ErrorCode::kUsage);
  EXPECT_EQ(Slurp(maker.Out()), "mine");

  std::filesystem::remove(maker.Out());
  std::filesystem::create_hard_link(maker.scratch / "a.safetensors", maker.Out());
  RunOptions options;
  options.overwrite = true;
  const Error error = ErrorOf([&] { internal::Run(plan, options); });
  EXPECT_EQ(error.code(), ErrorCode::kUsage);
  EXPECT_THAT(error.what(), HasSubstr("is the input"));
  EXPECT_TRUE(std::filesystem::exists(maker.scratch / "a.safetensors"));
}

TEST_F(ExecutorTest, RefusesABudgetThatIsTooSmallBeforeItWrites) {
  RunOptions options;
  options.max_memory = 1 << 20;
  EXPECT_EQ(ErrorOf([&] { internal::Run(maker.MakePlanOf(Blend(0.25)), options); }).code(),
            ErrorCode::kResources);
  ExpectNothingLeft();
}

TEST_F(ExecutorTest, AnInputThatChangesDuringTheRunIsAnError) {
  const Plan plan = maker.MakePlanOf(Blend(0.25));
  RunOptions options;
  options.progress = [&](const Progress&) {
    maker.Write("b", DType::kF16, {{"x", PatternValues(1'500'000, 9)}, {"y", PatternValues(5, 9)}});
    return true;
  };
  EXPECT_EQ(ErrorOf([&] { internal::Run(plan, options); }).code(), ErrorCode::kInput);
  ExpectNothingLeft();
}

TEST_F(ExecutorTest, IdenticalModelsHaveNoEffect) {
  const NodeId a = maker.Add("a", DType::kF32, {{"w", PatternValues(2000, 1)}});
  const NodeId b = maker.Add("b", DType::kF32, {{"w", PatternValues(2000, 1)}});
  const NodeId mix = maker.Step("mix", "weighted_sum", {a, b}, {0.3});
  EXPECT_EQ(ErrorOf([&] { internal::Run(maker.MakePlanOf(mix), {}); }).code(),
            ErrorCode::kNoEffect);
  ExpectNothingLeft();
}

TEST_F(ExecutorTest, EveryStepWithoutEffectHasALine) {
  const NodeId a = maker.Add("a", DType::kF32, {{"w", PatternValues(2000, 1)}});
  const NodeId b = maker.Add("b", DType::kF32, {{"w", PatternValues(2000, 1)}});
  const NodeId first = maker.Step("first", "slerp", {a, b}, {0.3, 0});
  const NodeId second = maker.Step("second", "slerp", {first, b}, {0.3, 0});
  const Error error = ErrorOf([&] { internal::Run(maker.MakePlanOf(second), {}); });
  EXPECT_EQ(error.message(),
            "step 'first' changes no element: its operands are the same, or cancel out\n"
            "step 'second' changes no element: its operands are the same, or cancel out");
}

TEST_F(ExecutorTest, WhatIsLostInRoundingHasNoEffect) {
  const Plan plan = maker.MakePlanOf(Blend(1e-7));
  const Error error = ErrorOf([&] { internal::Run(plan, {}); });
  EXPECT_EQ(error.code(), ErrorCode::kNoEffect);
  EXPECT_THAT(error.what(), HasSubstr("lost in rounding"));
  ExpectNothingLeft();
}

class NonFiniteTest : public ExecutorTest {
 protected:
  Plan Overflowing(NonFinitePolicy policy) {
    maker.expression.policies.non_finite = policy;
    const double infinity = std::numeric_limits<double>::infinity();
    const NodeId a = maker.Add("a", DType::kF16, {{"w", {60000, -60000, 1, infinity}}});
    const NodeId b = maker.Add("b", DType::kF16, {{"w", {60000, -60000, 2, 1}}});
    Node sum;
    sum.name = "sum";
    sum.op = FindOperator("linear");
    sum.list = {a, b};
    sum.weights = {Weights(1.0), Weights(1.0)};
    sum.parameters = {Weights(0.0)};
    maker.expression.nodes.push_back(sum);
    return maker.MakePlanOf(2);
  }
};

TEST_F(NonFiniteTest, IsAnErrorThatNamesTheTensor) {
  const Plan plan = Overflowing(NonFinitePolicy::kError);
  const Error error = ErrorOf([&] { internal::Run(plan, {}); });
  EXPECT_EQ(error.code(), ErrorCode::kMismatch);
  EXPECT_THAT(error.what(), HasSubstr("'w': 2 values"));
  ExpectNothingLeft();
}

TEST_F(NonFiniteTest, SaturatesWhereAskedAndLeavesWhatWasInfinite) {
  internal::Run(Overflowing(NonFinitePolicy::kSaturate), {});
  EXPECT_THAT(ModelMaker::ReadTensor(maker.Out(), "w"),
              ElementsAre(65504, -65504, 3, std::numeric_limits<double>::infinity()));
}

TEST_F(NonFiniteTest, IsAllowedWhereAsked) {
  internal::Run(Overflowing(NonFinitePolicy::kAllow), {});
  EXPECT_TRUE(std::isinf(ModelMaker::ReadTensor(maker.Out(), "w")[0]));
}

}  // namespace
}  // namespace weightsmith::internal
