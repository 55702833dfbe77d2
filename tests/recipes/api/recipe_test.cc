#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <weightsmith/weightsmith.h>

#include <string>

#include "tests/core/caught.h"
#include "tests/core/scratch.h"
#include "tests/merge/model_maker.h"

namespace weightsmith {
namespace {

using internal::Caught;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kMix = R"(weightsmith: 1
models: {a: a.safetensors, b: b.safetensors}
vars: {w: 0.5}
steps:
  mix: {op: weighted_sum, a: a, b: b, alpha: $w}
output: {model: mix, path: mix.safetensors}
)";

class RecipeApi : public ::testing::Test {
 protected:
  RecipeApi() {
    maker_.Write("a", DType::kF32, {{"w", {1, 1}}});
    maker_.Write("b", DType::kF32, {{"w", {3, 3}}});
  }
  std::filesystem::path File(const char* name) const { return maker_.scratch / name; }

  internal::ModelMaker maker_;
};

TEST_F(RecipeApi, IsRunFromAFileWithOtherValues) {
  const auto path = maker_.scratch.Make("mix.yaml", kMix);
  Recipe::Load(path).Run();
  const Report report =
      Recipe::Load(path, {.vars = {{"w", 0.25}}, .output = File("other.safetensors")}).Run();
  EXPECT_EQ(report.outputs[0].path, File("other.safetensors"));
  EXPECT_THAT(Checkpoint::Open(File("mix.safetensors"))["w"].Floats(), ElementsAre(2.0F, 2.0F));
  EXPECT_THAT(Checkpoint::Open(File("other.safetensors"))["w"].Floats(), ElementsAre(1.5F, 1.5F));
  const Verification found = Verify(File("other.safetensors"));
  EXPECT_TRUE(found.right) << ::testing::PrintToString(found.problems);
  EXPECT_THAT(found.checked, ::testing::Contains("recomputed"));
}

TEST_F(RecipeApi, IsPlannedAndShownFromAText) {
  const Recipe recipe = Recipe::Parse(kMix, maker_.scratch.folder());
  EXPECT_EQ(recipe.Plan().outputs[0].path, File("mix.safetensors"));
  EXPECT_EQ(recipe.Plan().steps[0].name, "mix");
  EXPECT_THAT(recipe.Show(), HasSubstr("alpha: 0.5"));
}

TEST_F(RecipeApi, SaysAllThatIsWrongWithItsPlaces) {
  try {
    static_cast<void>(Recipe::Parse("weightsmith: 1\nmodles: {}\nsteps: 3\n", {}, {}, "mix.yaml"));
    FAIL() << "it is no recipe";
  } catch (const RecipeError& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    ASSERT_GE(error.problems().size(), 2);
    EXPECT_EQ(error.problems()[0].file, "mix.yaml");
    EXPECT_EQ(error.problems()[0].line, 2);
    EXPECT_EQ(error.problems()[0].column, 1);
    EXPECT_THAT(error.problems()[0].message, HasSubstr("modles"));
    EXPECT_THAT(error.what(), HasSubstr("mix.yaml:2:1"));
  }
}

TEST_F(RecipeApi, SaysWhereAStepIsThatChangesNothing) {
  maker_.Write("b", DType::kF32, {{"w", {1, 1}}});
  try {
    static_cast<void>(Recipe::Parse(kMix, maker_.scratch.folder(), {}, "mix.yaml").Run());
    FAIL() << "it has no effect";
  } catch (const RecipeError& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNoEffect);
    ASSERT_EQ(error.problems().size(), 1);
    EXPECT_EQ(error.problems()[0].line, 5);
    EXPECT_EQ(error.problems()[0].column, 3);
    EXPECT_THAT(error.problems()[0].message, HasSubstr("step 'mix' changes no element"));
  }
}

TEST_F(RecipeApi, IsJudgedWithoutThrowing) {
  const auto good = maker_.scratch.Make("good.yaml", kMix);
  EXPECT_TRUE(Validate(good).valid());
  std::string text = kMix;
  text.replace(text.find("b.safetensors"), 13, "c.safetensors");
  const auto lacking = maker_.scratch.Make("lacking.yaml", text);
  EXPECT_TRUE(Validate(lacking, {}, false).valid());
  const Validation judged = Validate(lacking);
  ASSERT_EQ(judged.errors.size(), 1);
  EXPECT_EQ(judged.errors[0].line, 2);
  EXPECT_THAT(judged.errors[0].message, HasSubstr("c.safetensors"));
  EXPECT_EQ(Caught([&] { static_cast<void>(Validate(File("none.yaml"))); }).code(),
            ErrorCode::kInput);
}

TEST(TablesApi, ListWhatThereIs) {
  const Operator* const sum = operators::Find("weighted_sum");
  ASSERT_NE(sum, nullptr);
  ASSERT_EQ(sum->operands.size(), 2);
  EXPECT_EQ(sum->operands[0].name, "a");
  EXPECT_EQ(sum->parameters[0].name, "alpha");
  EXPECT_TRUE(sum->parameters[0].by_place);
  EXPECT_FALSE(sum->formula.empty());
  EXPECT_TRUE(operators::Find("bake")->list.value().adapters);
  EXPECT_EQ(operators::Find("no_such"), nullptr);
  ASSERT_NE(architectures::Find("sdxl"), nullptr);
  EXPECT_THAT(architectures::Find("sdxl")->variants, ::testing::Contains("base"));
  EXPECT_EQ(adapter_families::Find("lora")->title, "LoRA");
}

}  // namespace
}  // namespace weightsmith
