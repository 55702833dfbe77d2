#include "merge/expression/foreign_operators.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "merge/operator.h"

namespace weightsmith::internal {
namespace {

using ::testing::HasSubstr;

TEST(ForeignOperators, NameWhatIsNearest) {
  EXPECT_THAT(AboutForeignOperator("sigmoid"), HasSubstr("sigmoid is not here yet"));
  EXPECT_THAT(AboutForeignOperator("sigmoid"), HasSubstr("weighted_sum takes alpha as it is"));
  EXPECT_EQ(NearestToForeign("sigmoid"), "weighted_sum");
  EXPECT_EQ(ForeignOperatorLike("sigmoid"), "");
  EXPECT_EQ(AboutForeignOperator("ties-merging"), "It is called ties here.");
  EXPECT_EQ(AboutForeignOperator("lerp"), "It is called weighted_sum here.");
  EXPECT_EQ(AboutForeignOperator("wieghted_sum"), "");
  EXPECT_EQ(AboutForeignOperator(""), "");
}

TEST(ForeignOperators, AreCalledOtherwiseHere) {
  for (const auto& [name, ours] : {std::pair{"dare", "dare_linear"},
                                   {"geometric", "geometric_sum"},
                                   {"Model-Breadcrumbs", "breadcrumbs"},
                                   {"tsv", "tsv_merge"}}) {
    EXPECT_EQ(ForeignOperatorLike(name), ours);
    EXPECT_EQ(NearestToForeign(name), ours);
  }
}

TEST(ForeignOperators, MayBeOursWrittenOtherwise) {
  EXPECT_EQ(ForeignOperatorLike("DARE-TIES"), "dare_ties");
  EXPECT_EQ(ForeignOperatorLike("smoothAdd"), "smooth_add");
  EXPECT_EQ(AboutForeignOperator("task arithmetic"), "");
}

TEST(ForeignOperators, PointToOnesThatThereAre) {
  for (const char* name : {"dare",
                           "geometric",
                           "gitrebasin",
                           "identity",
                           "karchermean",
                           "lerp",
                           "mean",
                           "mix",
                           "modelbreadcrumbs",
                           "modelsoup",
                           "naverage",
                           "perpendicularcomponent",
                           "sigmoid",
                           "singularvaluecalibration",
                           "soup",
                           "sum",
                           "tiesmerging",
                           "tsv",
                           "tsvm",
                           "uniformsoup",
                           "weighted"}) {
    EXPECT_NE(FindOperator(NearestToForeign(name)), nullptr) << name;
  }
}

TEST(ForeignOperators, AreNoneOfOurs) {
  for (const Operator* op : Operators()) EXPECT_EQ(AboutForeignOperator(op->name), "") << op->name;
}

}  // namespace
}  // namespace weightsmith::internal
