#include "core/tensor/row_map.h"

#include <gtest/gtest.h>

#include <vector>

namespace weightsmith::internal {
namespace {

/// The halves of a tensor of eight rows in the other order.
const std::vector<RowMap> kSwapped = {{.theirs = 4, .ours = 0, .count = 4},
                                      {.theirs = 0, .ours = 4, .count = 4}};

TEST(RowMap, IsOfAllRowsUntilItIsCounted) {
  EXPECT_TRUE(RowMap().all());
  EXPECT_EQ(RowMap().Counted(7), (RowMap{0, 0, 7}));
  EXPECT_EQ(kSwapped[0].Counted(7), kSwapped[0]);
}

TEST(RowMap, FindsTheirRow) {
  EXPECT_EQ(kSwapped[0].TheirRow(0), 4u);
  EXPECT_EQ(kSwapped[0].TheirRow(3), 7u);
  EXPECT_EQ(kSwapped[1].TheirRow(4), 0u);
  EXPECT_EQ(kSwapped[1].end(), 8u);
}

TEST(RowMap, SharesRowsWhereRangesOfOursOverlap) {
  const RowMap middle = {.theirs = 0, .ours = 3, .count = 2};
  EXPECT_FALSE(ShareOurRows(kSwapped[0], kSwapped[1]));
  EXPECT_TRUE(ShareOurRows(middle, kSwapped[0]));
  EXPECT_TRUE(ShareOurRows(kSwapped[1], middle));
  EXPECT_FALSE(ShareOurRows({.ours = 5, .count = 1}, middle)) << "one behind the other";
}

TEST(RowMap, GivesTheRangeAndTheNumberOfOurs) {
  const RowRange all = RangeOfOurs(kSwapped, 8);
  EXPECT_EQ(all.first, 0u);
  EXPECT_EQ(all.end, 8u);
  EXPECT_EQ(CountOurs(kSwapped), 8u);
  const std::vector<RowMap> apart = {{.ours = 6, .count = 1}, {.theirs = 1, .ours = 2, .count = 1}};
  EXPECT_EQ(RangeOfOurs(apart, 8).first, 2u);
  EXPECT_EQ(RangeOfOurs(apart, 8).end, 7u);
  EXPECT_EQ(CountOurs(apart), 2u);
  EXPECT_EQ(RangeOfOurs({}, 8).first, 8u);
  EXPECT_EQ(RangeOfOurs({}, 8).end, 0u);
}

}  // namespace
}  // namespace weightsmith::internal
