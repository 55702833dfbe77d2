#include "cli/operator_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace weightsmith::internal {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;
using ::testing::UnorderedElementsAreArray;

std::vector<std::string> Like(std::string_view words) {
  std::vector<std::string> names;
  for (const Operator* op : OperatorsLike(words)) names.emplace_back(op->name);
  return names;
}

std::vector<std::string> FirstOf(std::string_view words, std::size_t count) {
  std::vector<std::string> names = Like(words);
  names.resize(std::min(count, names.size()));
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

TEST(OperatorsLike, PutsThoseFirstWhoseUseHasTheWords) {
  // "restore contrast" is the first one's use, and the beginning of the second one's.
  EXPECT_THAT(FirstOf("restore contrast", 2), ElementsAre("adjust", "norm_match"));
  EXPECT_THAT(FirstOf("restore contrast after a merge", 1), ElementsAre("norm_match"));
  EXPECT_THAT(FirstOf("keep contrast while blending", 1), ElementsAre("normalized_sum"));
  EXPECT_THAT(FirstOf("washed out colours", 1), ElementsAre("norm_match"));
  EXPECT_THAT(FirstOf("style transfer", 2), ElementsAre("add_difference", "add_opposite"));
  EXPECT_THAT(FirstOf("style transfer that keeps composition", 1), ElementsAre("crossover"));
  EXPECT_THAT(FirstOf("keep composition", 2), UnorderedElementsAre("frequency", "rotate"));
  EXPECT_THAT(FirstOf("frankenmerge", 1), ElementsAre("stack"));
  EXPECT_THAT(FirstOf("deeper language model", 1), ElementsAre("stack"));
  EXPECT_THAT(FirstOf("model soup", 1), ElementsAre("linear"));
  EXPECT_THAT(FirstOf("remove noise", 1), ElementsAre("smooth_add"));
  EXPECT_THAT(FirstOf("merge loras", 1), ElementsAre("core_space"));
  EXPECT_THAT(FirstOf("merge only attention", 1), ElementsAre("within"));
  EXPECT_THAT(FirstOf("reduce interference", 3), UnorderedElementsAre("star", "svc", "tsv_merge"));
}

TEST(OperatorsLike, PutsANameBeforeUses) {
  EXPECT_THAT(FirstOf("average", 1), ElementsAre("average"));
  EXPECT_THAT(FirstOf("noise", 1), ElementsAre("noise"));
  EXPECT_THAT(FirstOf("scale", 1), ElementsAre("scale"));
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

TEST(OperatorsLike, EveryUseFindsThoseThatHaveItBeforeOthers) {
  std::map<std::string_view, std::vector<std::string>> having;
  for (const Operator* op : Operators()) {
    for (const std::string_view use : op->uses) having[use].emplace_back(op->name);
  }
  for (const auto& [use, names] : having) {
    EXPECT_THAT(FirstOf(use, names.size()), UnorderedElementsAreArray(names)) << use;
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
