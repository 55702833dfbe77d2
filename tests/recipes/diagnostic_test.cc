#include "recipes/diagnostic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weightsmith::internal {
namespace {

using ::testing::HasSubstr;

SourcePlace Place() {
  return {std::make_shared<const SourceText>(SourceText{"recipe.yaml", "x: 1\n"}), 1, 1};
}

TEST(Diagnostics, EndsATextOfVeryManyErrorsWithTheFirstHundred) {
  Diagnostics diagnostics;
  try {
    for (int i = 0; i < 1'000'000; ++i) diagnostics.AddError(Place(), "wrong");
    FAIL() << "all were kept";
  } catch (const RecipeProblems& problems) {
    EXPECT_EQ(problems.errors().size(), 101U);
    EXPECT_THAT(problems.errors().back().message, HasSubstr("100 errors"));
  }
}

TEST(Diagnostics, KeepsTheFirstWarnings) {
  Diagnostics diagnostics;
  for (int i = 0; i < 1000; ++i) diagnostics.AddWarning(Place(), "odd");
  EXPECT_EQ(diagnostics.all().size(), 101U);
  EXPECT_FALSE(diagnostics.HasErrors());
}

}  // namespace
}  // namespace weightsmith::internal
