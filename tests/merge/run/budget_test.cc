#include "merge/run/budget.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/base/text.h"
#include "merge/run/task_state.h"
#include "tests/merge/model_maker.h"

namespace weightsmith::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class BudgetTest : public ::testing::Test {
 protected:
  BudgetTest() {
    const NodeId a = maker.Add("a", DType::kF16, {{"x", std::vector<double>(300'000, 1)}});
    const NodeId b = maker.Add("b", DType::kF16, {{"x", std::vector<double>(300'000, 2)}});
    plan = maker.MakePlanOf(maker.Step("mix", "weighted_sum", {a, b}, {0.5}));
  }

  std::uint64_t Needs(int threads) const { return MemoryOf(plan, {.threads = threads}); }
  RunOptions Options(std::uint64_t budget) const {
    RunOptions options;
    options.threads = 4;
    options.max_memory = budget;
    return options;
  }

  ModelMaker maker;
  Plan plan;
};

TEST_F(BudgetTest, GivesAsManyThreadsAsFit) {
  for (int threads = 1; threads <= 4; ++threads) {
    EXPECT_EQ(AffordMemory(plan, Options(Needs(threads))).threads, threads);
    if (threads > 1) {
      EXPECT_EQ(AffordMemory(plan, Options(Needs(threads) - 1)).threads, threads - 1);
    }
  }
  EXPECT_EQ(AffordMemory(plan, Options(std::uint64_t{1} << 40)).threads, 4);
}

TEST_F(BudgetTest, RefusesWhatOneThreadExceedsAndNamesTheLeast) {
  try {
    AffordMemory(plan, Options(Needs(1) - 1));
    FAIL() << "it was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kResources);
    const std::uint64_t least = (Needs(1) + 999'999) / 1'000'000;
    EXPECT_THAT(error.message(), HasSubstr(std::to_string(least) + " MB of memory"));
    EXPECT_THAT(error.options(), ElementsAre(Option::kMaxMemory));
    AffordMemory(plan, Options(least * 1'000'000));
  }
}

TEST_F(BudgetTest, NamesTheStepThatHoldsMost) {
  ModelMaker two;
  two.shapes["x"] = {600, 500};
  const NodeId a = two.Add("a", DType::kF16, {{"x", std::vector<double>(300'000, 1)}});
  const NodeId b = two.Add("b", DType::kF16, {{"x", std::vector<double>(300'000, 2)}});
  const NodeId sum = two.Step("sum", "weighted_sum", {a, b}, {0.5});
  const Plan turned = two.MakePlanOf(two.Step("turned", "rotate", {sum, b}, {1, 0, 1}));
  ASSERT_GT(StateBytes(turned.tasks.front()), 3 * 300'000 * sizeof(float));
  try {
    AffordMemory(turned, Options(1'000'000));
    FAIL() << "it was accepted";
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), HasSubstr(FormatBytes(StateBytes(turned.tasks.front())) +
                                           " of it are for step 'turned'"));
  }
}

TEST_F(BudgetTest, CountsWhatTheCallerHolds) {
  EXPECT_THROW(AffordMemory(plan, Options(Needs(1)), 1), Error);
  EXPECT_EQ(AffordMemory(plan, Options(Needs(1) + 5), 5).threads, 1);
}

TEST_F(BudgetTest, CountsWhatAProcessHasHeldBefore) {
  RunOptions options = Options(Needs(1));
  const std::vector<char> held(Needs(1) + (std::uint64_t{8} << 20), 'x');
  EXPECT_EQ(AffordMemory(plan, options).threads, 1);
  options.whole_process = true;
  EXPECT_THROW(AffordMemory(plan, options), Error);
}

TEST_F(BudgetTest, SixtyFourOutputsOnSixteenThreadsFitIntoAGibibyte) {
  const Tensors tensors{{"x", std::vector<double>(600'000, 1)}, {"y", {1}}};
  ModelMaker many;
  const NodeId a = many.Add("a", DType::kF16, tensors);
  const NodeId b = many.Add("b", DType::kF16, tensors);
  std::vector<OutputSpec> outputs;
  for (int i = 0; i < 64; ++i) {
    OutputSpec& output = outputs.emplace_back();
    output.root = many.Step("mix" + std::to_string(i), "weighted_sum", {a, b}, {(i + 1) / 80.0});
    output.path = many.scratch / (std::to_string(i) + ".safetensors");
  }
  Plan wide = MakePlan(many.expression, outputs);
  ASSERT_EQ(wide.tasks.back().products.size(), 64U);
  wide.tasks.resize(2515, wide.tasks.back());  // as many as SDXL has
  RunOptions options;
  options.threads = 16;
  options.max_memory = std::uint64_t{1} << 30;
  EXPECT_EQ(AffordMemory(wide, options).threads, 16);
  EXPECT_LE(PeakMemory(wide, options), std::uint64_t{1} << 30);
}

}  // namespace
}  // namespace weightsmith::internal
