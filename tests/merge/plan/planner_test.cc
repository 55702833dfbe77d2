#include "merge/plan/planner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/formats/safetensors/layout.h"
#include "tests/merge/model_maker.h"

namespace weightsmith::internal {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::SizeIs;

/// Two models of two tensors.
class PlannerTest : public ::testing::Test {
 protected:
  PlannerTest()
      : a_(maker_.Add("a", DType::kF32, {{"u", {1, 2, 3}}, {"v", {4}}})),
        b_(maker_.Add("b", DType::kF32, {{"u", {5, 6, 7}}, {"v", {8}}})) {}

  NodeId Mix(double alpha) {
    return maker_.Step("mix" + std::to_string(maker_.expression.nodes.size()), "weighted_sum",
                       {a_, b_}, {alpha});
  }

  ModelMaker maker_;
  NodeId a_;
  NodeId b_;
};

TEST_F(PlannerTest, ATensorIsATaskWithPlacesInItsFiles) {
  const Plan plan = maker_.MakePlanOf(Mix(0.25));
  ASSERT_THAT(plan.tasks, SizeIs(2));
  const Task& task = plan.tasks[0];
  EXPECT_EQ(task.name, "u");
  EXPECT_EQ(task.elements, 3U);
  ASSERT_THAT(task.sources, SizeIs(2));
  for (const std::uint32_t m : {0u, 1u}) {
    const Checkpoint& checkpoint = *plan.models[m].parts[0].checkpoint;
    EXPECT_EQ(task.sources[m].model, m);
    EXPECT_EQ(task.sources[m].offset, checkpoint.Find("u")->offset);
  }
  ASSERT_THAT(task.products, SizeIs(1));
  const HeaderLayout& layout = plan.output_files[0].layout;
  EXPECT_EQ(task.products[0].offset, layout.data_start + layout.tensors[0].begin);
  EXPECT_FALSE(task.products[0].copy);
}

TEST_F(PlannerTest, TasksAreInTheOrderOfTheFirstFile) {
  const Plan plan = maker_.MakePlanOf(Mix(0.25));
  EXPECT_LT(plan.tasks[0].sources[0].offset, plan.tasks[1].sources[0].offset);
  EXPECT_EQ(plan.tasks[1].name, "v");
}

TEST_F(PlannerTest, KnowsWhatWillBeReadAndWritten) {
  const Plan plan = maker_.MakePlanOf(Mix(0.25));
  EXPECT_EQ(plan.bytes_to_read, 2 * (3 + 1) * 4U);
  EXPECT_EQ(plan.bytes_to_write, plan.output_files[0].layout.file_size);
}

TEST_F(PlannerTest, AWeightOfOneIsACopyThatReadsNothingElse) {
  const Plan plan = maker_.MakePlanOf(Mix(1));
  for (const Task& task : plan.tasks) {
    ASSERT_THAT(task.products, SizeIs(1));
    EXPECT_TRUE(task.products[0].copy);
    EXPECT_EQ(task.sources[task.products[0].value].model, 1U);
  }
  EXPECT_EQ(plan.model_keys[0].used, 0U);
  EXPECT_EQ(plan.model_keys[1].used, 2U);
}

TEST_F(PlannerTest, SaysWhatTheResultIsOfTheModels) {
  const NodeId inner = Mix(0.5);
  const Plan plan = maker_.MakePlanOf(maker_.Step("outer", "weighted_sum", {inner, b_}, {0.5}));
  ASSERT_THAT(plan.coefficients, SizeIs(1));
  ASSERT_THAT(plan.coefficients[0], SizeIs(1));
  EXPECT_TRUE(plan.coefficients[0][0].linear);
  EXPECT_TRUE(plan.coefficients[0][0].uniform);
  EXPECT_THAT(plan.coefficients[0][0].coefficients, ElementsAre(0.25, 0.75));
}

TEST_F(PlannerTest, OutputsShareATaskOfATensor) {
  OutputSpec first;
  first.root = Mix(0.25);
  first.path = maker_.scratch / "first.safetensors";
  OutputSpec second = first;
  second.root = Mix(0.75);
  second.path = maker_.scratch / "second.safetensors";
  const Plan plan = MakePlan(maker_.expression, {first, second});
  ASSERT_THAT(plan.tasks, SizeIs(2));
  EXPECT_THAT(plan.tasks, Each(Field(&Task::sources, SizeIs(2))));
  EXPECT_THAT(plan.tasks[0].products,
              ElementsAre(Field(&Product::file, 0u), Field(&Product::file, 1u)));
  EXPECT_EQ(plan.bytes_to_read, 2 * (3 + 1) * 4U);
}

TEST_F(PlannerTest, AnOutputHasTheDTypeThatIsAskedFor) {
  const Plan plan = maker_.MakePlanOf(Mix(0.25), DType::kF16);
  EXPECT_EQ(InfoOf(plan.tasks[0], plan.tasks[0].products[0]), (TensorInfo{DType::kF16, {3}}));
  EXPECT_EQ(plan.output_files[0].layout.tensors[0].info.dtype, DType::kF16);
  // Another dtype is no copy.
  EXPECT_FALSE(maker_.MakePlanOf(Mix(1), DType::kF16).tasks[0].products[0].copy);
}

TEST_F(PlannerTest, AllProblemsAreSaidTogether) {
  const NodeId c = maker_.Add("c", DType::kF32, {{"u", {1, 2}}, {"w", {1}}});
  try {
    maker_.MakePlanOf(maker_.Step("bad", "weighted_sum", {a_, c}, {0.5}));
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kMismatch);
    EXPECT_THAT(error.what(), HasSubstr("'u' is [3] in 'a' and [2] in 'c'"));
    EXPECT_THAT(error.what(), HasSubstr("tensors that 'c' does not have"));
    EXPECT_THAT(error.what(), HasSubstr("tensors that 'a' does not have"));
  }
}

}  // namespace
}  // namespace weightsmith::internal
