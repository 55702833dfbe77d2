#include "cli/flags/help.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "cli/flags/completions/completion.h"
#include "cli/flags/man_page.h"
#include "cli/render/layout.h"

namespace weightsmith::internal {
namespace {

using ::testing::HasSubstr;

std::size_t WidestLine(std::string_view text) {
  std::size_t widest = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    widest = std::max(widest, DisplayWidth(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return widest;
}

TEST(ShortHelp, FitsOneScreen) {
  for (const Command* command : Commands()) {
    const std::string page = ShortHelp(*command);
    EXPECT_LE(std::ranges::count(page, '\n'), 60) << page;
    EXPECT_LE(WidestLine(page), kPageWidth) << page;
  }
  EXPECT_LE(std::ranges::count(ProgramHelp(), '\n'), 50);
  EXPECT_LE(WidestLine(ProgramHelp()), kPageWidth);
}

/// Commands on one line, as a shell reads them.
std::string Unfolded(std::string page) {
  for (std::size_t at = page.find("\\\n"); at != std::string::npos; at = page.find("\\\n", at)) {
    page.erase(at, page.find_first_not_of(' ', at + 2) - at);
  }
  return page;
}

TEST(LongHelp, TellsEveryFlagChoiceAndExample) {
  for (const Command* command : Commands()) {
    const std::string page = Unfolded(LongHelp(*command));
    for (const Flag& flag : CompletedFlags(*command)) {
      EXPECT_THAT(page, HasSubstr("--" + std::string(flag.name)));
    }
    for (const Example& example : command->examples) {
      EXPECT_THAT(page, HasSubstr(std::string(example.line)));
    }
  }
}

TEST(ManPage, HasEveryCommandAndFlagAndNoStrayRequest) {
  const std::string page = ManPage();
  EXPECT_TRUE(page.starts_with(".TH WEIGHTSMITH 1"));
  for (const Command* command : Commands()) {
    EXPECT_THAT(page, HasSubstr(".SS \"" + std::string(command->name) + "\""));
  }
  // A dash that is not escaped becomes a hyphen, which cannot be copied into a shell.
  EXPECT_EQ(page.find("--"), std::string::npos);
}

TEST(Completion, OffersEveryCommandAndFlag) {
  const std::string bash = BashCompletion();
  const std::string zsh = ZshCompletion();
  const std::string fish = FishCompletion();
  for (const Command* command : Commands()) {
    for (const Flag& flag : CompletedFlags(*command)) {
      EXPECT_THAT(bash, HasSubstr("--" + std::string(flag.name)));
      EXPECT_THAT(zsh, HasSubstr("--" + std::string(flag.name)));
      EXPECT_THAT(fish, HasSubstr("-l " + std::string(flag.name)));
    }
    EXPECT_THAT(bash, HasSubstr("    " + std::string(command->name) + ")"));
    EXPECT_THAT(zsh, HasSubstr("        " + std::string(command->name) + ")"));
    EXPECT_THAT(fish, HasSubstr("-a " + std::string(command->name)));
  }
}

TEST(Wrap, FillsLinesAndKeepsParagraphsAndIndentedLines) {
  EXPECT_EQ(Wrap("one two three four", 2, 11), "  one two\n  three\n  four\n");
  EXPECT_EQ(Wrap("a\nb\n\nc", 0, 80), "a b\n\nc\n");
  EXPECT_EQ(Wrap("text\n  code  as is\nmore", 1, 80), " text\n   code  as is\n more\n");
  EXPECT_EQ(Wrap("unbreakably", 0, 4), "unbreakably\n");
  EXPECT_EQ(Wrap("", 3, 80), "");
  EXPECT_EQ(Wrap("ααα βββ", 0, 7), "ααα βββ\n");
}

TEST(Table, AlignsTheSecondColumn) {
  EXPECT_EQ(Table({{"a", "first"}, {"long", "second"}}), "  a     first\n  long  second\n");
  EXPECT_EQ(Table({{"a", "x"}, {"much too long", "y"}}, 4), "  a  x\n  much too long\n     y\n");
  EXPECT_EQ(Table({{"a", ""}}), "  a\n");
}

}  // namespace
}  // namespace weightsmith::internal
