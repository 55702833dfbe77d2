#include "recipes/parser/steps.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/recipes/parser/parsed.h"

namespace weightsmith::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::Optional;

constexpr char kModels[] =
    "models: {a: a.safetensors, b: b.safetensors, c: c.safetensors}\n"
    "output: {model: mix, path: o.safetensors}\n";

Recipe WithSteps(const std::string& steps) {
  return ParsedRecipe(kModels + ("steps: " + steps + "\n"));
}

/// Steps begin in line 5.
std::vector<std::string> ErrorsOfSteps(const std::string& steps) {
  return ErrorPlaces(kModels + ("steps:\n" + steps + "\n"));
}

double Everywhere(const Weights& weights) {
  return weights.everywhere().value_or(-1);
}

TEST(Steps, OperandsStandInTheOrderOfTheOperatorHoweverTheyAreWritten) {
  const Recipe recipe = WithSteps("{mix: {alpha: 0.25, c: c, b: b, a: a, op: add_difference}}");
  const Node& mix = NodeNamed(recipe, "mix");
  EXPECT_EQ(mix.op, FindOperator("add_difference"));
  EXPECT_FALSE(mix.leaf());
  EXPECT_THAT(NodeNames(recipe, mix.operands), ElementsAre("a", "b", "c"));
  ASSERT_EQ(mix.parameters.size(), 1U);
  EXPECT_EQ(Everywhere(mix.parameters[0]), 0.25);
}

TEST(Steps, OperandsPrecedeTheirUsersWhereTheTextHasThemBehind) {
  const Recipe recipe = WithSteps(
      "{mix: {op: weighted_sum, a: late, b: c, alpha: 0.5}, "
      "late: {op: weighted_sum, a: a, b: b, alpha: 0.5}}");
  for (NodeId id = 0; id < recipe.nodes.size(); ++id) {
    for (const NodeId operand : recipe.nodes[id].node.operands) EXPECT_LT(operand, id);
  }
  EXPECT_EQ(recipe.nodes[recipe.outputs.at(0).root].node.name, "mix");
}

TEST(Steps, AnInlineStepIsANodeOfItsOwnThatIsCalledByItsSlot) {
  const Recipe recipe = WithSteps(
      "{mix: {op: weighted_sum, a: {op: weighted_sum, a: a, b: b, alpha: 0.1}, b: c, "
      "alpha: 0.5}}");
  EXPECT_THAT(NodeNames(recipe, NodeNamed(recipe, "mix").operands), ElementsAre("mix.a", "c"));
  const Node& inner = NodeNamed(recipe, "mix.a");
  EXPECT_THAT(NodeNames(recipe, inner.operands), ElementsAre("a", "b"));
  EXPECT_EQ(Everywhere(inner.parameters[0]), 0.1);
}

TEST(Steps, AListKeepsItsOrderAndTheWeightOfEachEntry) {
  const Recipe recipe = WithSteps(
      "{mix: {op: linear, of: [{model: c, weight: 3}, {weight: 1, model: a}, {model: b, weight: "
      "2}]}}");
  const Node& mix = NodeNamed(recipe, "mix");
  EXPECT_THAT(NodeNames(recipe, mix.list), ElementsAre("c", "a", "b"));
  ASSERT_EQ(mix.weights.size(), 3U);
  EXPECT_EQ(Everywhere(mix.weights[0]), 3);
  EXPECT_EQ(Everywhere(mix.weights[1]), 1);
  EXPECT_EQ(Everywhere(mix.weights[2]), 2);
}

TEST(Steps, ABooleanIsOneNumberAndItsDefaultWhereItIsLeftOut) {
  const std::string list =
      "{op: linear, of: [{model: a, weight: 1}, {model: b, weight: 1}, "
      "{model: c, weight: 1}]";
  const Recipe given = WithSteps("{mix: " + list + ", normalize: true}}");
  const Recipe left_out = WithSteps("{mix: " + list + "}}");
  EXPECT_EQ(Everywhere(NodeNamed(given, "mix").parameters[0]), 1);
  EXPECT_EQ(Everywhere(NodeNamed(left_out, "mix").parameters[0]), 0);
}

TEST(Steps, ADifferenceIsADeltaAndItsSumWithAModelAWeight) {
  const Recipe recipe =
      WithSteps("{change: {op: subtract, a: b, b: c}, mix: {op: add, a: a, b: change}}");
  EXPECT_EQ(NodeNamed(recipe, "change").kind, Kind::kDelta);
  EXPECT_EQ(NodeNamed(recipe, "mix").kind, Kind::kWeight);
}

TEST(Steps, APolicyOfAStepIsThatStepsAlone) {
  const Recipe recipe = WithSteps(
      "{one: {op: weighted_sum, a: a, b: b, alpha: 0.5, policy: {effect: any}}, "
      "mix: {op: weighted_sum, a: one, b: c, alpha: 0.5}}");
  EXPECT_EQ(NodeNamed(recipe, "one").policies.effect, EffectPolicy::kAny);
  EXPECT_EQ(NodeNamed(recipe, "mix").policies.effect, EffectPolicy::kError);
  EXPECT_EQ(recipe.policies.effect, EffectPolicy::kError);
}

TEST(Steps, ASeedIsTheNumberThatWasWritten) {
  const Recipe recipe =
      WithSteps("{mix: {op: dropout, base: a, of: [b, c], seed: 9007199254740991}}");
  EXPECT_THAT(SeedOf(NodeNamed(recipe, "mix")), Optional(9007199254740991U));
}

TEST(Steps, WhatNoOutputNeedsIsNoNode) {
  Diagnostics diagnostics;
  const auto recipe =
      ParseRecipe(RecipeText("models: {a: a.safetensors, b: b.safetensors, c: c.safetensors}\n"
                             "steps:\n"
                             "  idle: {op: weighted_sum, a: a, b: c, alpha: 0.5}\n"
                             "  mix: {op: weighted_sum, a: a, b: b, alpha: 0.5}\n"
                             "output: {model: mix, path: o.safetensors}\n"),
                  "", {}, diagnostics);
  ASSERT_TRUE(recipe.has_value());
  EXPECT_EQ(recipe->nodes.size(), 3U);
  EXPECT_EQ(recipe->models.size(), 2U);
  std::vector<std::uint32_t> lines;
  for (const Diagnostic& warning : diagnostics.all()) lines.push_back(warning.place.line);
  EXPECT_THAT(lines, ElementsAre(2, 4));
}

TEST(Steps, EveryErrorOfAStepHasTheColumnOfItsValue) {
  EXPECT_THAT(ErrorsOfSteps("  mix: {op: weighted_sum, a: a, b: x, alpha: much}"),
              ElementsAre("5:46", "5:36"));
}

TEST(Steps, AStepThatLacksAnOperandIsPointedAtAsAWhole) {
  EXPECT_THAT(ErrorsOfSteps("  mix: {op: weighted_sum, a: a, alpha: 0.5}"), ElementsAre("5:8"));
}

TEST(Steps, AKeyThatAnOperatorDoesNotHaveIsPointedAtItself) {
  EXPECT_THAT(ErrorsOfSteps("  mix: {op: weighted_sum, a: a, b: b, alpha: 0.5, gamma: 1}"),
              ElementsAre("5:51"));
}

TEST(Steps, ErrorsOfSeveralStepsAreAllReported) {
  EXPECT_THAT(ErrorsOfSteps("  one: {op: weighted_sum, a: a, b: b, alpha: 11}\n"
                            "  mix: {op: weighted_sum, a: one, b: c, alpha: -11}"),
              ElementsAre("5:46", "6:48"));
}

TEST(Steps, ADifferenceWhereAModelBelongsIsAnErrorAtTheOperand) {
  EXPECT_THAT(ErrorsOfSteps("  d: {op: subtract, a: a, b: b}\n"
                            "  mix: {op: add_difference, a: d, b: b, c: c, alpha: 1}"),
              ElementsAre("6:32"));
}

TEST(Steps, StepsThatUseEachOtherAreAnError) {
  EXPECT_THAT(ErrorsOfSteps("  one: {op: weighted_sum, a: mix, b: b, alpha: 0.5}\n"
                            "  mix: {op: weighted_sum, a: one, b: c, alpha: 0.5}"),
              ::testing::SizeIs(1));
}

}  // namespace
}  // namespace weightsmith::internal
