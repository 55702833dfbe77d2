#include "merge/expression/foreign_operators.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "merge/operator.h"

namespace weightsmith::internal {
namespace {

using ::testing::HasSubstr;

TEST(ForeignOperators, NameWhatIsNearest) {
  EXPECT_THAT(AboutForeignOperator("dare"), HasSubstr("dare is not here yet"));
  EXPECT_THAT(AboutForeignOperator("DARE-TIES"), HasSubstr("ties drops the smallest"));
  EXPECT_THAT(AboutForeignOperator("sigmoid"), HasSubstr("weighted_sum"));
  EXPECT_EQ(AboutForeignOperator("ties-merging"), "It is called ties here.");
  EXPECT_EQ(AboutForeignOperator("lerp"), "It is called weighted_sum here.");
  EXPECT_EQ(AboutForeignOperator("wieghted_sum"), "");
  EXPECT_EQ(AboutForeignOperator(""), "");
}

TEST(ForeignOperators, AreNoneOfOurs) {
  for (const Operator* op : Operators()) EXPECT_EQ(AboutForeignOperator(op->name), "") << op->name;
}

}  // namespace
}  // namespace weightsmith::internal
