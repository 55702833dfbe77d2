#include "recipes/source/line_index.h"

#include <gtest/gtest.h>

namespace weightsmith::internal {
namespace {

std::shared_ptr<const SourceText> Text(std::string text) {
  return std::make_shared<const SourceText>(SourceText{"recipe.yaml", std::move(text)});
}

TEST(LineIndex, CountsCharactersAndNotBytes) {
  const LineIndex lines(Text("añb\nc\n"));
  EXPECT_EQ(lines.At(0).column, 1U);
  EXPECT_EQ(lines.At(3).column, 3U);
  EXPECT_EQ(lines.At(5).line, 2U);
  EXPECT_EQ(lines.At(5).column, 1U);
}

TEST(LineIndex, CountsInLongLinesAsInShortOnes) {
  // Every second character has two bytes.
  std::string text = "x\n";
  for (int i = 0; i < 500; ++i) text += "aä";
  const LineIndex lines(Text(text));
  std::uint32_t column = 1;
  for (std::size_t at = 2; at < text.size(); ++at) {
    const bool begins = (static_cast<unsigned char>(text[at]) & 0xC0) != 0x80;
    if (begins && at > 2) ++column;
    if (!begins) continue;
    ASSERT_EQ(lines.At(at).line, 2U);
    ASSERT_EQ(lines.At(at).column, column) << at;
  }
  EXPECT_EQ(lines.At(text.size()).column, 1001U);
}

TEST(LineIndex, TakesTheEndForWhatLiesBehindIt) {
  const LineIndex lines(Text("abc"));
  EXPECT_EQ(lines.At(7, 9).line, 1U);
  EXPECT_EQ(lines.At(0, 99).column, 4U);
}

}  // namespace
}  // namespace weightsmith::internal
