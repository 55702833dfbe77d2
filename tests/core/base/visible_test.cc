#include "core/base/visible.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace weightsmith::internal {
namespace {

TEST(Visible, LeavesNothingThatATerminalObeysOrHides) {
  EXPECT_EQ(Visible("\x1b]0;title\x07"), "\\x1b]0;title\\x07");
  EXPECT_EQ(Visible("two\nlines\tand\rmore"), "two\\nlines\\tand\\rmore");
  EXPECT_EQ(Visible("\x7f \xc2\x9b 31m"), "\\u007f \\u009b 31m");
  EXPECT_EQ(Visible("\xe2\x80\xae\xe2\x81\xa6\xef\xbb\xbf\xd8\x9c"),
            "\\u202e\\u2066\\ufeff\\u061c");
  EXPECT_EQ(Visible("\xff\x9b"), "\\xff\\x9b");
  EXPECT_EQ(Visible("Foto × アニメ 🦊"), "Foto × アニメ 🦊");
}

TEST(VisibleLines, KeepsTheLayoutAlone) {
  EXPECT_EQ(VisibleLines("a\tb\nc"), "a\tb\nc");
  EXPECT_EQ(VisibleLines("a\x1b[1m\r\n"), "a\\x1b[1m\\r\n");
}

TEST(VisibleLines, JsonStaysTheSameJson) {
  const nlohmann::json json = {{"k\x7f", "\xc2\x85\xe2\x80\xae\x1b\n\xef\xbb\xbf 🦊"}};
  const std::string shown = VisibleLines(json.dump());
  EXPECT_EQ(nlohmann::json::parse(shown), json);
  EXPECT_EQ(shown.find('\x7f'), std::string::npos);
}

TEST(WholeCharacters, CutBetweenCharacters) {
  EXPECT_EQ(WholeCharacters("ab×c", 3), 2U);
  EXPECT_EQ(WholeCharacters("ab×c", 4), 4U);
  EXPECT_EQ(WholeCharacters("abc", 9), 3U);
}

}  // namespace
}  // namespace weightsmith::internal
