#include "cli/operator_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace weightsmith::internal {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Not;

std::vector<std::string> Like(std::string_view words) {
  std::vector<std::string> names;
  for (const Operator* op : OperatorsLike(words)) names.emplace_back(op->name);
  return names;
}

TEST(StemOf, IsOneForFormsOfAWord) {
  for (const char* word : {"transfer", "transfers", "transferring", "transferred"}) {
    EXPECT_EQ(StemOf(word), "transfer");
  }
  EXPECT_EQ(StemOf("combining"), StemOf("combine"));
  EXPECT_EQ(StemOf("bodies"), "body");
  EXPECT_EQ(StemOf("washed"), StemOf("wash"));
  EXPECT_EQ(StemOf("loss"), "loss");
}

TEST(OperatorsLike, FindsByUse) {
  EXPECT_THAT(Like("style transfer"), Contains("add_difference"));
  EXPECT_THAT(Like("style transfer"), Contains("train_difference"));
  EXPECT_THAT(Like("restore contrast"), Contains("norm_match"));
  EXPECT_EQ(Like("bake loras").front(), "bake");
}

TEST(OperatorsLike, FindsByNameAndSummary) {
  EXPECT_EQ(Like("slerp").front(), "slerp");
  EXPECT_EQ(Like("model stock").front(), "model_stock");
}

TEST(OperatorsLike, KnowsOtherWordsAndOtherForms) {
  EXPECT_THAT(Like("fix the contrasts"), Contains("norm_match"));
  EXPECT_EQ(Like("RESTORING contrast"), Like("restore contrast"));
  EXPECT_THAT(Like("porting a look"), Contains("add_difference"));
}

TEST(OperatorsLike, FindsNothingForWhatIsNoPurpose) {
  EXPECT_THAT(Like("zzyzx"), IsEmpty());
  EXPECT_THAT(Like("the of a"), IsEmpty());
  EXPECT_THAT(Like(""), IsEmpty());
}

TEST(OperatorsLike, EveryUseFindsItsOperator) {
  for (const Operator* op : Operators()) {
    for (const std::string_view use : op->uses) {
      EXPECT_THAT(Like(use), Contains(std::string(op->name))) << use;
    }
  }
}

TEST(WordsOfOperators, AreSortedAndHaveThoseOfUses) {
  const std::vector<std::string> words = WordsOfOperators();
  EXPECT_TRUE(std::ranges::is_sorted(words));
  EXPECT_THAT(words, Contains("contrast"));
  EXPECT_THAT(words, Not(Contains("the")));
}

}  // namespace
}  // namespace weightsmith::internal
