// Recipes used as models.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "recipes/recipe.h"
#include "recipes/resolve.h"
#include "tests/core/scratch.h"

namespace weightsmith::internal {
namespace {

using ::testing::HasSubstr;

class NestedRecipe : public ::testing::Test {
 protected:
  std::optional<Recipe> Parse(const std::string& outer, const std::string& inner) {
    scratch_.Make("inner.yaml", "weightsmith: 1\n" + inner);
    return ParseRecipe({"outer.yaml", "weightsmith: 1\n" + outer}, scratch_.folder(), {},
                       diagnostics_);
  }
  std::string First() const {
    return diagnostics_.all().empty() ? "" : Render(diagnostics_.all().front());
  }

  Scratch scratch_;
  Diagnostics diagnostics_;
};

constexpr char kInner[] = "models: {a: a.safetensors}\noutput: {model: a, path: i.safetensors}\n";
constexpr char kOuter[] =
    "models: {v: {recipe: inner.yaml}}\noutput: {model: v, path: o.safetensors}\n";

TEST_F(NestedRecipe, APolicyOfTheWholeRunMustBeTheSameInBoth) {
  EXPECT_FALSE(Parse(kOuter, std::string(kInner) + "policy: {precision: f64}\n"));
  EXPECT_THAT(First(),
              HasSubstr("its recipe has the policy precision: f64, and this recipe has f32"));
}

TEST_F(NestedRecipe, TheSamePolicyInBothIsFine) {
  const std::string policy = "policy: {precision: f64}\n";
  EXPECT_TRUE(Parse(kOuter + policy, kInner + policy)) << First();
}

TEST_F(NestedRecipe, APinThatBothGiveIsKeptOnce) {
  const std::string pinned = "{path: a.safetensors, autov2: \"0123456789\"}";
  const auto recipe =
      Parse("models: {a: " + pinned + ", v: {recipe: inner.yaml}}\n" +
                "steps: {m: {op: average, of: [a, v]}}\noutput: {model: m, path: o.safetensors}\n",
            "models: {a: " + pinned + "}\noutput: {model: a, path: i.safetensors}\n");
  ASSERT_TRUE(recipe) << First();
  for (const RecipeModel& model : recipe->models) {
    EXPECT_EQ(model.parts.front().file.pins.size(), 1U) << model.name;
  }
}

}  // namespace
}  // namespace weightsmith::internal
