#include "merge/expression/list_words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "core/model/architecture.h"

namespace weightsmith::internal {
namespace {

using ::testing::ElementsAre;

const BlockList& FirstOf(std::string_view id) {
  for (const ListTakers& takers : TakersOfLists(false)) {
    for (const std::string_view taker : takers.ids) {
      if (taker == id) return takers.lists.front();
    }
  }
  throw std::out_of_range("no lists");
}

TEST(ListWords, CountedPlacesAreRanges) {
  EXPECT_THAT(PlacesOf(FirstOf("sd2")), ElementsAre("BASE", "IN00-IN11", "M00", "OUT00-OUT11"));
  EXPECT_THAT(PlacesOf(FirstOf("flux1")),
              ElementsAre("CLIP", "T5", "IN", "D00-D18", "S00-S37", "OUT"));
  EXPECT_THAT(BlocksOf(FirstOf("flux1")), ElementsAre("D00-D18", "S00-S37"));
  const BlockList gaps = {.names = {"IN01", "IN02", "IN04", "M00", "OUT03", "OUT04"}, .rows = {}};
  EXPECT_THAT(PlacesOf(gaps), ElementsAre("IN01-IN02", "IN04", "M00", "OUT03-OUT04"));
}

TEST(ListWords, ArchitecturesWithTheSameListsStandTogether) {
  EXPECT_EQ(ListLengthsInWords(false), "61 for flux1, 26 for sd1 and sd2, 20, 21 or 26 for sdxl");
  EXPECT_EQ(ListLengthsInWords(true),
            "61 for flux1, 17 or 26 for sd1 and sd2, 12, 20 or 26 for sdxl");
  EXPECT_EQ(ListedBlocksInWords(),
            "flux1: D00-D18, S00-S37; sd1 and sd2: IN00-IN11, M00, OUT00-OUT11; "
            "sdxl: IN00-IN08, M00, OUT00-OUT08");
}

TEST(ListWords, TheLastNumberIsThatOfAnyList) {
  EXPECT_EQ(LastListed("IN"), 11u);
  EXPECT_EQ(LastListed("D"), 18u);
  EXPECT_EQ(LastListed("M"), 0u);
  EXPECT_EQ(LastListed("T"), std::nullopt);
  EXPECT_EQ(LastListed(""), std::nullopt);
}

}  // namespace
}  // namespace weightsmith::internal
