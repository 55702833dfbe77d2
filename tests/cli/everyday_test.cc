#include "cli/everyday.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"

namespace weightsmith::internal {
namespace {

using ::testing::HasSubstr;

EverydayMerge Of(std::vector<std::filesystem::path> models) {
  EverydayMerge merge;
  merge.models = std::move(models);
  return merge;
}

std::string Refusal(const EverydayMerge& merge) {
  try {
    return RecipeText(merge);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    return std::string(error.what()) + " | " + error.advice();
  }
}

TEST(Everyday, TwoModelsAreBlended) {
  EverydayMerge merge = Of({"models/photo.safetensors", "anime.safetensors"});
  merge.alpha = "0.3";
  EXPECT_EQ(RecipeText(merge),
            "weightsmith: 1\n"
            "models:\n"
            "  photo: \"models/photo.safetensors\"\n"
            "  anime: \"anime.safetensors\"\n"
            "steps:\n"
            "  merged: {op: weighted_sum, a: photo, b: anime, alpha: 0.3}\n"
            "output:\n"
            "  model: merged\n"
            "  path: \"0.70(photo)+0.30(anime).safetensors\"\n");
}

TEST(Everyday, ThreeModelsAreADifferenceAdded) {
  const EverydayMerge merge = Of({"a.safetensors", "b.safetensors", "c.safetensors"});
  EXPECT_THAT(RecipeText(merge), HasSubstr("{op: add_difference, a: a, b: b, c: c, alpha: 1}"));
  EXPECT_EQ(DefaultName(merge), "a+1.00(b-c).safetensors");
}

TEST(Everyday, HalfOfEachIsTheDefault) {
  EXPECT_EQ(DefaultName(Of({"a.ckpt", "dir/b/"})), "0.50(a)+0.50(b).safetensors");
}

TEST(Everyday, AVaeADtypeAndPoliciesGoIntoTheRecipe) {
  EverydayMerge merge = Of({"a.safetensors", "b.safetensors"});
  merge.vae = "fix.safetensors";
  merge.dtype = "bf16";
  merge.policies = {{"missing", "keep"}};
  const std::string text = RecipeText(merge);
  EXPECT_THAT(text, HasSubstr("  fix: \"fix.safetensors\"\n"));
  EXPECT_THAT(text, HasSubstr("  components: {vae: fix}\n"));
  EXPECT_THAT(text, HasSubstr("  dtype: \"bf16\"\n"));
  EXPECT_THAT(text, HasSubstr("policy:\n  \"missing\": \"keep\"\n"));
}

TEST(Everyday, WeightsByPlaceStayAsTheyAreWritten) {
  EverydayMerge merge = Of({"a.safetensors", "b.safetensors"});
  merge.alpha = "{default: 0.3, te: 0}";
  EXPECT_THAT(RecipeText(merge), HasSubstr("alpha: {default: 0.3, te: 0}}"));
  EXPECT_EQ(DefaultName(merge), "weighted_sum(a,b).safetensors");
  merge.alpha = "half\nsteps: {}";
  EXPECT_THAT(RecipeText(merge), HasSubstr("alpha: \"half\\x0asteps: {}\""));
}

TEST(Everyday, NamesAreMadeOfStemsAndToldApart) {
  const std::string text =
      RecipeText(Of({"x/my model (v1.5).safetensors", "y/my model (v1.5).safetensors"}));
  EXPECT_THAT(text, HasSubstr("a: my_model__v1_5_, b: my_model__v1_5__2,"));
  EXPECT_THAT(RecipeText(Of({"1.safetensors", "merged.safetensors"})),
              HasSubstr("merged_2: {op: weighted_sum, a: m_1, b: merged,"));
}

TEST(Everyday, ListsOfModels) {
  EverydayMerge merge = Of({"a.pt", "b.pt", "c.pt"});
  merge.op = "average";
  EXPECT_THAT(RecipeText(merge), HasSubstr("{op: average, of: [a, b, c]}"));
  EXPECT_EQ(DefaultName(merge), "average(a,b,c).safetensors");
  merge.op = "linear";
  merge.parameters = {{"weights", "0.5,0.3,0.2"}, {"normalize", "true"}};
  EXPECT_THAT(RecipeText(merge),
              HasSubstr("of: [{model: a, weight: 0.5}, {model: b, weight: 0.3}, {model: c, weight: "
                        "0.2}], normalize: true}"));
  merge.parameters = {{"weights", "0.5,0.5"}};
  EXPECT_THAT(Refusal(merge), HasSubstr("a weight for each of 3 models, not 2"));
}

TEST(Everyday, OperatorsThatTakeAnotherNumberOfModels) {
  EverydayMerge merge = Of({"a.pt", "b.pt"});
  merge.op = "add_difference";
  EXPECT_THAT(Refusal(merge), HasSubstr("add_difference takes 3 models (a, b, c), not 2"));
  merge.op = "wieghted_sum";
  EXPECT_THAT(Refusal(merge), HasSubstr("Did you mean 'weighted_sum'?"));
  EXPECT_THAT(Refusal(Of({"a", "b", "c", "d"})), HasSubstr("--op"));
}

TEST(Everyday, ModelsOfAListHaveEqualSharesUnlessTheyAreGiven) {
  EverydayMerge merge = Of({"d.pt", "a.pt", "b.pt"});
  merge.op = "ties";
  merge.parameters = {{"density", "0.3"}};
  EXPECT_THAT(RecipeText(merge),
              HasSubstr("{op: ties, base: d, of: [{model: a, weight: 0.5}, {model: b, weight: "
                        "0.5}], density: 0.3}"));
  merge.parameters = {{"weights", "0.6,0.4"}, {"lambda", "0.8"}, {"dense", "1"}};
  EXPECT_THAT(RecipeText(merge), HasSubstr("{model: b, weight: 0.4}], lambda: 0.8, \"dense\": 1}"));
  EXPECT_EQ(DefaultName(merge), "ties(d,a,b).safetensors");
}

TEST(Everyday, AListNeedsAModelBesideTheBase) {
  EverydayMerge merge = Of({"d.pt"});
  merge.op = "ties";
  EXPECT_THAT(Refusal(merge), HasSubstr("ties takes at least 2 models (base, of…), not 1"));
  merge.op = "slerp";
  EXPECT_THAT(Refusal(merge), HasSubstr("slerp takes 2 models (a, b), not 1"));
}

TEST(Everyday, WeightsAreForOperatorsOfWeightedLists) {
  EverydayMerge merge = Of({"a.pt", "b.pt"});
  merge.op = "weighted_sum";
  merge.parameters = {{"weights", "0.5,0.5"}};
  EXPECT_THAT(Refusal(merge), HasSubstr("weighted_sum takes no weights of models. | Give --alpha"));
}

TEST(Everyday, TheOutputMayBeAFolder) {
  EverydayMerge merge = Of({"a.pt", "b.pt"});
  merge.output = "out.safetensors";
  EXPECT_EQ(OutputPath(merge), "out.safetensors");
  merge.output = testing::TempDir();
  EXPECT_EQ(OutputPath(merge), std::filesystem::path(testing::TempDir()) / DefaultName(merge));
  merge.output = "new/";
  EXPECT_EQ(OutputPath(merge), "new/0.50(a)+0.50(b).safetensors");
}

TEST(Everyday, BracesOfAPathAreNoVariables) {
  EverydayMerge merge = Of({"a.pt", "b.pt"});
  merge.output = "{x}.safetensors";
  EXPECT_THAT(RecipeText(merge), HasSubstr("path: \"{{x}}.safetensors\""));
  EXPECT_EQ(DefaultName(Of({"{w}.pt", "b.pt"})), "0.50(_w_)+0.50(b).safetensors");
}

}  // namespace
}  // namespace weightsmith::internal
