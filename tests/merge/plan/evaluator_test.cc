#include "merge/plan/evaluator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "merge/plan/place_table.h"
#include "tests/merge/model_maker.h"
#include "tests/merge/tape_harness.h"

namespace weightsmith::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

class EvaluatorTest : public ::testing::Test {
 protected:
  /// An evaluator of the one tensor "x" of models that were added; it lives as long as the test.
  TensorEvaluator& EvaluatorOf(NodeId root) {
    root_ = root;
    index_ = std::make_unique<ExpressionIndex>(maker_.expression, std::span(&root_, 1), problems_);
    const auto& [key, tensor] = *index_->models().front().tensors().begin();
    key_ = key;
    canonical_ = tensor.anatomy->canonical;
    PlaceTable places(nullptr);
    places.Add(tensor);
    places.NumberBlocks();
    evaluator_ = std::make_unique<TensorEvaluator>(*index_, key_, canonical_,
                                                   places.Of(tensor, canonical_), problems_);
    return *evaluator_;
  }

  /// What the value is for such values of the models.
  static std::vector<float> ValuesOf(TensorEvaluator& evaluator, Value value,
                                     const std::vector<std::vector<float>>& models) {
    const std::vector<Value> results{value};
    return RunOn(evaluator.TakeLowering().Finish(results), models);
  }

  std::string Problem() const {
    try {
      problems_.ThrowIfAny();
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  NodeId Add(const std::string& name, std::size_t size = 2) {
    return maker_.Add(name, DType::kF32, {{"x", std::vector<double>(size, 1)}});
  }

  ModelMaker maker_;
  Problems problems_;

 private:
  NodeId root_ = 0;
  std::unique_ptr<ExpressionIndex> index_;
  TensorKey key_;
  std::string canonical_;
  std::unique_ptr<TensorEvaluator> evaluator_;
};

TEST_F(EvaluatorTest, AStepIsItsFormula) {
  const NodeId mix = maker_.Step("mix", "weighted_sum", {Add("a"), Add("b")}, {0.25});
  TensorEvaluator& evaluator = EvaluatorOf(mix);
  const TensorValue result = evaluator.Evaluate(mix);
  EXPECT_TRUE(result.present);
  EXPECT_EQ(result.shape, (Shape{2}));
  EXPECT_THAT(evaluator.account().computed, ElementsAre(mix));
  EXPECT_THAT(evaluator.account().shared, ElementsAre(mix));
  EXPECT_THAT(ValuesOf(evaluator, result.value, {{2, 4}, {4, 8}}), ElementsAre(2.5F, 5.0F));
}

TEST_F(EvaluatorTest, StepsOfStepsAreOneTape) {
  const NodeId a = Add("a");
  const NodeId b = Add("b");
  const NodeId c = Add("c");
  const NodeId first = maker_.Step("first", "add_difference", {a, b, c}, {0.5});
  const NodeId second = maker_.Step("second", "weighted_sum", {first, c}, {0.75});
  TensorEvaluator& evaluator = EvaluatorOf(second);
  const Value value = evaluator.Evaluate(second).value;
  ASSERT_EQ(evaluator.sources().size(), 3U);
  // (1 + 0.5·(5 - 3))·0.25 + 3·0.75
  EXPECT_THAT(ValuesOf(evaluator, value, {{1, 1}, {5, 5}, {3, 3}}), ElementsAre(2.75F, 2.75F));
}

TEST_F(EvaluatorTest, AWeightOfZeroOrOneIsAnOperandAsItIs) {
  const NodeId a = Add("a");
  const NodeId b = Add("b");
  const NodeId none = maker_.Step("none", "weighted_sum", {a, b}, {0});
  const NodeId all = maker_.Step("all", "weighted_sum", {a, b}, {1});
  EXPECT_EQ(EvaluatorOf(none).Evaluate(none).value, Value::Of(0));
  TensorEvaluator& evaluator = EvaluatorOf(all);
  EXPECT_EQ(evaluator.Evaluate(all).value, Value::Of(1));
  EXPECT_THAT(evaluator.account().replaced, ElementsAre(all));
}

TEST_F(EvaluatorTest, ATensorThatAnOperandLacksIsAProblem) {
  const NodeId a = Add("a");
  const NodeId b = maker_.Add("b", DType::kF32, {{"y", {1, 2}}});
  const NodeId mix = maker_.Step("mix", "weighted_sum", {a, b}, {0.5});
  EvaluatorOf(mix).Evaluate(mix);
  EXPECT_THAT(Problem(), HasSubstr("step 'mix': tensors that 'b' does not have"));
}

TEST_F(EvaluatorTest, ATensorThatAnOperandLacksIsKeptOrDroppedWhereAsked) {
  const NodeId a = Add("a");
  const NodeId b = maker_.Add("b", DType::kF32, {{"y", {1, 2}}});
  maker_.expression.policies.missing = PlaceMap<MissingPolicy>(MissingPolicy::kKeep);
  const NodeId keep = maker_.Step("keep", "weighted_sum", {a, b}, {0.5});
  maker_.expression.policies.missing = PlaceMap<MissingPolicy>(MissingPolicy::kDrop);
  const NodeId drop = maker_.Step("drop", "weighted_sum", {a, b}, {0.5});
  TensorEvaluator& kept = EvaluatorOf(keep);
  EXPECT_EQ(kept.Evaluate(keep).value, Value::Of(0));
  EXPECT_THAT(kept.account().kept, ElementsAre(Pair(keep, 1U)));
  EXPECT_FALSE(EvaluatorOf(drop).Evaluate(drop).present);
  EXPECT_TRUE(problems_.empty());
}

TEST_F(EvaluatorTest, ShapesThatDifferAreAProblem) {
  const NodeId a = Add("a", 2);
  const NodeId b = Add("b", 3);
  const NodeId mix = maker_.Step("mix", "weighted_sum", {a, b}, {0.5});
  EXPECT_FALSE(EvaluatorOf(mix).Evaluate(mix).present);
  EXPECT_THAT(Problem(), HasSubstr("'x' is [2] in 'a' and [3] in 'b'"));
}

TEST_F(EvaluatorTest, AMissingDifferenceIsZero) {
  const NodeId a = Add("a");
  const NodeId b = maker_.Add("b", DType::kF32, {{"y", {1, 2}}});
  maker_.expression.policies.missing = PlaceMap<MissingPolicy>(MissingPolicy::kKeep);
  const NodeId difference = maker_.Step("difference", "subtract", {a, b}, {});
  const NodeId sum = maker_.Step("sum", "add", {a, difference}, {0.5});
  TensorEvaluator& evaluator = EvaluatorOf(sum);
  EXPECT_FALSE(evaluator.Evaluate(difference).present);
  EXPECT_EQ(evaluator.Evaluate(sum).value, Value::Of(0));
}

}  // namespace
}  // namespace weightsmith::internal
