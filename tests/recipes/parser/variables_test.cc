#include "recipes/parser/variables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/recipes/parser/parsed.h"

namespace weightsmith::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Optional;

/// Declarations are in line 2, the step in line 4, its alpha in column 44; the path in line 5,
/// column 28.
std::string WithVariables(const std::string& variables, const std::string& alpha,
                          const std::string& path = "o.safetensors") {
  return "vars: " + variables +
         "\nmodels: {a: a.safetensors, b: b.safetensors}\n"
         "steps: {mix: {op: weighted_sum, a: a, b: b, alpha: " +
         alpha + "}}\noutput: {model: mix, path: \"" + path + "\"}\n";
}

double AlphaOf(const Recipe& recipe) {
  return NodeNamed(recipe, "mix").parameters.at(0).everywhere().value_or(-1);
}

TEST(Variables, AValueTakesThePlaceOfItsName) {
  const Recipe recipe = ParsedRecipe(WithVariables("{w: 0.35}", "$w"));
  EXPECT_EQ(AlphaOf(recipe), 0.35);
  EXPECT_THAT(recipe.variables, ElementsAre(Key("w")));
}

TEST(Variables, AValueInBracesIsWrittenIntoAPathAsItWasWritten) {
  const Recipe recipe = ParsedRecipe(WithVariables("{w: 0.350}", "$w", "x{w}-{{w}}.safetensors"));
  EXPECT_THAT(recipe.outputs.at(0).path,
              Optional(std::filesystem::path("/models/x0.350-{w}.safetensors")));
}

TEST(Variables, AModelMayBeNamedByOne) {
  const Recipe recipe = ParsedRecipe(
      "vars: {second: b}\nmodels: {a: a.safetensors, b: b.safetensors}\n"
      "steps: {mix: {op: weighted_sum, a: a, b: $second, alpha: 0.5}}\n"
      "output: {model: mix, path: o.safetensors}\n");
  EXPECT_THAT(NodeNames(recipe, NodeNamed(recipe, "mix").operands), ElementsAre("a", "b"));
}

TEST(Variables, AListIsAWholeValue) {
  const Recipe recipe =
      ParsedRecipe(WithVariables("{shape: [0, 1]}", "{default: 0, unet: {curve: $shape}}"));
  const Weights& alpha = NodeNamed(recipe, "mix").parameters.at(0);
  EXPECT_THAT(alpha.rows().back().knots, ElementsAre(0, 1));
}

TEST(Variables, WhatTheCallerSetsIsTheValue) {
  RecipeOptions options;
  options.variables = {{"w", "0.75"}};
  EXPECT_EQ(AlphaOf(ParsedRecipe(WithVariables("{w: 0.35}", "$w"), options)), 0.75);
}

TEST(Variables, WhatTheCallerSetsOfAnUnknownOneIsAnError) {
  RecipeOptions options;
  options.variables = {{"v", "0.75"}};
  EXPECT_THAT(ErrorPlaces(WithVariables("{w: 0.35}", "$w"), options), ElementsAre("0:0"));
}

TEST(Variables, AnUnknownOneIsAnErrorWhereItIsUsed) {
  EXPECT_THAT(ErrorPlaces(WithVariables("{w: 0.35}", "$v")), ElementsAre("4:52"));
  EXPECT_THAT(ErrorPlaces(WithVariables("{w: 0.35}", "$w", "x{v}.safetensors")),
              ElementsAre("5:28"));
}

TEST(Variables, AWrongValueIsAnErrorWhereItIsDeclaredOnceHoweverOftenItIsUsed) {
  EXPECT_THAT(ErrorPlaces(WithVariables("{w: {x: 1}}", "$w", "x{w}.safetensors")),
              ElementsAre("2:11"));
}

TEST(Variables, AVariableOfAVariableIsAnError) {
  EXPECT_THAT(ErrorPlaces(WithVariables("{v: 0.5, w: $v}", "$w")), ElementsAre("2:19"));
}

TEST(Variables, OneThatNothingUsesIsAWarningWhereItIsDeclared) {
  const std::string text = WithVariables("{w: 0.5, idle: 1}", "$w");
  EXPECT_THAT(ErrorPlaces(text), IsEmpty());
  EXPECT_THAT(PlacesOf(text, Severity::kWarning), ElementsAre("2:16"));
}

}  // namespace
}  // namespace weightsmith::internal
