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

TEST(ForeignOperators, OfOtherRegistriesAreNamed) {
  EXPECT_EQ(AboutForeignOperator("normalize_to"), "It is called norm_match here.");
  EXPECT_EQ(AboutForeignOperator("ties_sum"),
            "ties_sum is ties with `trim: mecha, sign: majority`.");
  EXPECT_EQ(ForeignOperatorLike("ties_sum"), "");
  EXPECT_THAT(AboutForeignOperator("balance_attention"), HasSubstr("is not here yet. It evens"));
  // What sd-mecha, meh and SuperMerger have under a name that none of ours has.
  for (const char* name : {"add_cosine_a",
                           "add_cosine_b",
                           "add_difference_ties",
                           "add_difference_ties_extended",
                           "add_opposite_mask",
                           "add_perpendicular",
                           "add_strict_opposite_mask",
                           "add_ties_with_dare",
                           "cast",
                           "copy_region",
                           "exchange_ema",
                           "extract_kohya_lokr",
                           "extract_kohya_lora",
                           "extract_lycoris_lokr",
                           "extract_lycoris_lora",
                           "FWM",
                           "get_rank_from_ratio",
                           "n_average",
                           "n_model_stock",
                           "omit_component",
                           "omit_non_finite",
                           "perpendicular_component",
                           "pick_component",
                           "plus random",
                           "randperm",
                           "self",
                           "SIG",
                           "smoothAdd MT",
                           "tensor",
                           "tensor2",
                           "ties_add_difference",
                           "ties_sum_extended",
                           "ties_sum_with_dropout",
                           "train_difference_mask",
                           "truncate_kronecker",
                           "weight sum",
                           "weighted_subtraction"}) {
    EXPECT_NE(FindOperator(NearestToForeign(name)), nullptr) << name;
    EXPECT_NE(AboutForeignOperator(name), "") << name;
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
