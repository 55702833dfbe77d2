#include "recipes/parser/recipe_outputs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/recipes/parser/parsed.h"

namespace weightsmith::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::Pair;

const std::string kSteps =
    "models: {a: a.safetensors, b: b.safetensors, v: v.safetensors}\n"
    "steps:\n"
    "  light: {op: weighted_sum, a: a, b: b, alpha: 0.1}\n"
    "  heavy: {op: weighted_sum, a: light, b: v, alpha: 0.8}\n";

Recipe WithOutput(const std::string& output, const RecipeOptions& options = {}) {
  return ParsedRecipe(kSteps + output + "\n", options);
}

/// Outputs begin in line 6.
std::vector<std::string> ErrorsOfOutput(const std::string& output,
                                        const RecipeOptions& options = {}) {
  return ErrorPlaces(kSteps + output + "\n", options);
}

std::string RootOf(const Recipe& recipe, std::size_t output = 0) {
  return recipe.nodes[recipe.outputs.at(output).root].node.name;
}

TEST(RecipeOutputs, AnOutputIsItsStepAndAFileBesideTheRecipe) {
  const Recipe recipe = WithOutput("output: {model: heavy, path: sub/o.safetensors}");
  ASSERT_EQ(recipe.outputs.size(), 1U);
  EXPECT_EQ(RootOf(recipe), "heavy");
  EXPECT_THAT(recipe.outputs[0].path, Optional(std::filesystem::path("/models/sub/o.safetensors")));
  EXPECT_TRUE(recipe.outputs[0].dtype.empty());
  EXPECT_EQ(recipe.outputs[0].layout, OutputLayout::kKeep);
  EXPECT_FALSE(recipe.outputs[0].split);
  EXPECT_EQ(recipe.outputs[0].max_shard_size, std::nullopt);
}

TEST(RecipeOutputs, SeveralKeepTheirOrderAndWhatEachAsksFor) {
  const Recipe recipe = WithOutput(
      "outputs:\n"
      "  - {model: heavy, path: h.safetensors, dtype: {default: bf16, vae: f32}}\n"
      "  - {model: light, path: l.safetensors, max_shard_size: 2GiB}");
  ASSERT_EQ(recipe.outputs.size(), 2U);
  EXPECT_EQ(RootOf(recipe, 0), "heavy");
  EXPECT_EQ(RootOf(recipe, 1), "light");
  const TensorPlace vae{.canonical = "x", .component = "vae", .kind = ComponentKind::kVae};
  const TensorPlace unet{.canonical = "x", .component = "unet", .kind = ComponentKind::kBackbone};
  EXPECT_EQ(recipe.outputs[0].dtype.Find(vae), std::optional(std::optional(DType::kF32)));
  EXPECT_EQ(recipe.outputs[0].dtype.Find(unet), std::optional(std::optional(DType::kBF16)));
  EXPECT_TRUE(recipe.outputs[1].dtype.empty());
  EXPECT_THAT(recipe.outputs[1].max_shard_size, Optional(std::uint64_t{2} << 30));
}

TEST(RecipeOutputs, AComponentMayComeFromAnotherModel) {
  const Recipe recipe =
      WithOutput("output: {model: heavy, path: o.safetensors, components: {vae: v}}");
  ASSERT_EQ(recipe.outputs[0].components.size(), 1U);
  const auto& [component, node] = *recipe.outputs[0].components.begin();
  EXPECT_EQ(component, "vae");
  EXPECT_EQ(recipe.nodes[node].node.name, "v");
}

TEST(RecipeOutputs, MetadataHasThePrefixOfTheModelspecWhereItsWordsAreUsed) {
  const Recipe recipe = WithOutput(
      "output: {model: heavy, path: o.safetensors, metadata: {title: T, own: x, tags: [p, q]}}");
  EXPECT_THAT(
      recipe.outputs[0].metadata,
      ElementsAre(Pair("modelspec.tags", "p, q"), Pair("modelspec.title", "T"), Pair("own", "x")));
}

TEST(RecipeOutputs, WithoutOneTheOnlyStepIsWritten) {
  const Recipe recipe = ParsedRecipe(
      "models: {a: a.safetensors, b: b.safetensors}\n"
      "steps: {only: {op: weighted_sum, a: a, b: b, alpha: 0.5}}\n");
  ASSERT_EQ(recipe.outputs.size(), 1U);
  EXPECT_FALSE(recipe.outputs[0].declared);
  EXPECT_EQ(RootOf(recipe), "only");
  EXPECT_EQ(recipe.outputs[0].path, std::nullopt);
}

TEST(RecipeOutputs, WithoutOneOfSeveralStepsNoneIsChosen) {
  EXPECT_THAT(ErrorsOfOutput(""), ElementsAre("1:1"));
}

TEST(RecipeOutputs, WhatTheCallerAsksForTakesThePlaceOfWhatIsWritten) {
  RecipeOptions options;
  options.output_path = "/elsewhere/x.safetensors";
  options.dtype = "f32";
  options.max_shard_size = 1000;
  const Recipe recipe =
      WithOutput("output: {model: heavy, path: o.safetensors, dtype: f16}", options);
  EXPECT_EQ(recipe.outputs[0].path, options.output_path);
  EXPECT_EQ(recipe.outputs[0].dtype.everywhere(), std::optional(std::optional(DType::kF32)));
  EXPECT_THAT(recipe.outputs[0].max_shard_size, Optional(1000U));
}

TEST(RecipeOutputs, TheStepThatTheCallerChoosesIsTheOnlyOutput) {
  RecipeOptions options;
  options.output_step = "light";
  const Recipe recipe = WithOutput("output: {model: heavy, path: o.safetensors}", options);
  ASSERT_EQ(recipe.outputs.size(), 1U);
  EXPECT_EQ(RootOf(recipe), "light");
}

TEST(RecipeOutputs, OneFileForTwoOutputsIsAnErrorAtTheSecondPath) {
  EXPECT_THAT(ErrorsOfOutput("outputs:\n"
                             "  - {model: heavy, path: o.safetensors}\n"
                             "  - {model: light, path: ./o.safetensors}"),
              ElementsAre("8:26"));
}

TEST(RecipeOutputs, EveryErrorOfAnOutputHasItsPlace) {
  EXPECT_THAT(
      ErrorsOfOutput("output: {model: heavyy, path: o.safetensors, dtype: f17, split: perhaps}"),
      ::testing::UnorderedElementsAre("6:17", "6:53", "6:65"));
}

TEST(RecipeOutputs, ADifferenceIsNoOutput) {
  EXPECT_THAT(ErrorPlaces("models: {a: a.safetensors, b: b.safetensors}\n"
                          "steps: {d: {op: subtract, a: a, b: b}}\n"
                          "output: {model: d, path: o.safetensors}\n"),
              ElementsAre("4:17"));
}

TEST(RecipeOutputs, ShardsAndOneFileForEachComponentExcludeEachOther) {
  RecipeOptions options;
  options.max_shard_size = 1000;
  const std::string split = "output: {model: heavy, path: o, split: true}";
  EXPECT_THAT(ErrorsOfOutput(split), IsEmpty());
  EXPECT_THAT(ErrorsOfOutput(split, options), ElementsAre("0:0"));
}

}  // namespace
}  // namespace weightsmith::internal
