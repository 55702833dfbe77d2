#include "core/base/display_width.h"

#include <gtest/gtest.h>

namespace weightsmith::internal {
namespace {

TEST(DisplayWidth, IsTwoOfWideCharactersAndNoneOfCombiningMarks) {
  EXPECT_EQ(DisplayWidth("abc"), 3U);
  EXPECT_EQ(DisplayWidth("0.70·a"), 6U);
  EXPECT_EQ(DisplayWidth("日本語"), 6U);
  EXPECT_EQ(DisplayWidth("한국"), 4U);
  EXPECT_EQ(DisplayWidth("🦊ok"), 4U);
  EXPECT_EQ(DisplayWidth("e\xcc\x81"), 1U);
  EXPECT_EQ(DisplayWidth("ｆｕｌｌ"), 8U);
  EXPECT_EQ(DisplayWidth("\xff"), 1U);
}

TEST(PrefixOfWidth, HoldsWholeCharacters) {
  EXPECT_EQ(PrefixOfWidth("日本語", 5), 6U);
  EXPECT_EQ(PrefixOfWidth("日本語", 6), 9U);
  EXPECT_EQ(PrefixOfWidth("abc", 2), 2U);
  EXPECT_EQ(PrefixOfWidth("e\xcc\x81x", 1), 3U);
}

}  // namespace
}  // namespace weightsmith::internal
