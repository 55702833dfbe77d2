#include "recipes/metadata.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "recipes/recipe.h"
#include "recipes/resolve.h"
#include "tests/core/scratch.h"

namespace weightsmith::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;

constexpr const char* kMix = R"(weightsmith: 1
vars: {w: 0.25}
models: {a: deep/a.safetensors, b: b.safetensors}
steps:
  mix: {op: weighted_sum, a: a, b: b, alpha: $w}
output: {model: mix, path: made/mix.v1.safetensors}
)";

/// Digests in the shape that the recipe above needs.
RunDigests DigestsOf(char digit) {
  const std::string digest(32, digit);
  return {{{{digest, 1, 1}}, {{digest, 1, 1}}}, digest};
}

class MetadataOfOutput : public ::testing::Test {
 protected:
  MetadataOfOutput() {
    std::filesystem::create_directory(scratch_ / "deep");
    for (const char* name : {"deep/a.safetensors", "b.safetensors"}) {
      scratch_.Make(name, FileOf(R"({"w":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", "xy"));
    }
  }

  MetadataMaker MakerOf(const std::string& text, const RecipeOptions& options = {}) {
    Diagnostics diagnostics;
    const auto recipe = ParseRecipe({"mix.yaml", text}, scratch_.folder(), options, diagnostics);
    return Resolve(recipe.value(), options, diagnostics).value().outputs.front().metadata;
  }

  Metadata Of(const std::string& text, const RecipeOptions& options = {}) {
    return MakerOf(text, options)(DigestsOf('0')).value();
  }

  Scratch scratch_;
};

TEST_F(MetadataOfOutput, HasTheSameLengthForAllDigests) {
  const MetadataMaker maker = MakerOf(kMix);
  const Metadata blank = maker(DigestsOf('0')).value();
  const Metadata real = maker(DigestsOf('f')).value();
  ASSERT_EQ(blank.size(), real.size());
  for (const auto& [key, value] : blank) EXPECT_EQ(value.size(), real.at(key).size()) << key;
  EXPECT_EQ(real.at("weightsmith.digest"), std::string(32, 'f'));
}

TEST_F(MetadataOfOutput, NamesInputsByTheirBaseNames) {
  const auto inputs = nlohmann::json::parse(Of(kMix).at("weightsmith.inputs"));
  EXPECT_EQ(inputs, nlohmann::json::parse(R"([
    {"name": "a", "file": "a.safetensors", "size": 63, "tensors_read": 1, "tensors": 1,
     "digest": "00000000000000000000000000000000"},
    {"name": "b", "file": "b.safetensors", "size": 63, "tensors_read": 1, "tensors": 1,
     "digest": "00000000000000000000000000000000"}])"));
}

TEST_F(MetadataOfOutput, KnowsNoFolder) {
  for (const auto& [key, value] : Of(kMix)) {
    EXPECT_THAT(value, Not(HasSubstr(scratch_.folder().filename().string()))) << key;
    EXPECT_THAT(value, Not(HasSubstr("deep"))) << key;
    EXPECT_THAT(value, Not(HasSubstr("made"))) << key;
  }
}

TEST_F(MetadataOfOutput, TakesItsTitleFromTheFileUnlessTheRecipeHasOne) {
  EXPECT_EQ(Of(kMix).at("modelspec.title"), "mix.v1");
  RecipeOptions options;
  options.output_path = "x/other.safetensors";
  EXPECT_EQ(Of(kMix, options).at("modelspec.title"), "other");
  std::string titled(kMix);
  titled.insert(titled.rfind('}'), ", metadata: {title: 'At {w}'}");
  EXPECT_EQ(Of(titled).at("modelspec.title"), "At 0.25");
}

TEST_F(MetadataOfOutput, RecordsARecipeThatReadsBackAlone) {
  RecipeOptions options;
  options.variables["w"] = "0.75";
  const std::string text = Of(kMix, options).at("weightsmith.recipe");
  EXPECT_THAT(text, HasSubstr("alpha: 0.75"));
  Diagnostics diagnostics;
  const auto again = ParseRecipe({"recorded", text}, "", {}, diagnostics);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->models.size(), 2U);
  EXPECT_EQ(again->models.front().parts.front().file.path, "a.safetensors");
}

TEST_F(MetadataOfOutput, IsTheFormatAloneInPrivate) {
  RecipeOptions options;
  options.private_metadata = true;
  EXPECT_THAT(Of(kMix, options), ElementsAre(Pair("format", "pt")));
}

TEST_F(MetadataOfOutput, ClaimsNothingOfAnUnknownArchitecture) {
  const Metadata metadata = Of(kMix);
  EXPECT_THAT(metadata, Not(testing::Contains(Key("modelspec.architecture"))));
  EXPECT_THAT(metadata, Not(testing::Contains(Key("modelspec.implementation"))));
  EXPECT_EQ(metadata.at("modelspec.sai_model_spec"), "1.0.1");
  EXPECT_EQ(metadata.at("modelspec.merged_from"), "a, b");
}

}  // namespace
}  // namespace weightsmith::internal
