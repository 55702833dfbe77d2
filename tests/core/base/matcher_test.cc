#include "core/base/matcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weightsmith::internal {
namespace {

using testing::HasSubstr;

std::string ProblemOf(std::string_view pattern) {
  std::string problem;
  EXPECT_FALSE(Matcher::Compile(pattern, problem)) << pattern;
  return problem;
}

Matcher Compiled(std::string_view pattern) {
  std::string problem;
  const std::optional<Matcher> matcher = Matcher::Compile(pattern, problem);
  EXPECT_TRUE(matcher) << problem;
  return matcher.value();
}

TEST(Matcher, SearchesAndMatchesAll) {
  const Matcher matcher = Compiled(R"(blocks\.\d+\.attn)");
  EXPECT_TRUE(matcher.Search("model.blocks.12.attn.weight"));
  EXPECT_FALSE(matcher.Search("model.blocks.x.attn.weight"));
  EXPECT_TRUE(matcher.MatchesAll("blocks.12.attn"));
  EXPECT_FALSE(matcher.MatchesAll("model.blocks.12.attn"));
}

TEST(Matcher, NamesWhatItDoesNotSupport) {
  EXPECT_THAT(ProblemOf("a(?=b)"), HasSubstr("look-ahead and look-behind are not supported"));
  EXPECT_THAT(ProblemOf("(?<!a)b"), HasSubstr("look-ahead and look-behind are not supported"));
  EXPECT_THAT(ProblemOf(R"((a)\1)"), HasSubstr("back-references are not supported"));
  EXPECT_THAT(ProblemOf("("), HasSubstr("malformed"));
  EXPECT_THAT(ProblemOf(std::string(1001, 'a')), HasSubstr("1,001 bytes"));
}

TEST(Matcher, EndsOnHostileExpressionsAndNames) {
  const std::string name(100'000, 'a');
  EXPECT_FALSE(Compiled("([a-z_.0-9]+)+!").Search(name));
  EXPECT_TRUE(Compiled("(.*\\.)?(a*)").MatchesAll(name));
  EXPECT_FALSE(ProblemOf("((((((((((a{1,100}){1,100}){1,100}))))))))").empty());
  std::string problem;
  const std::string nested = std::string(450, '(') + "a" + std::string(450, ')');
  const auto matcher = Matcher::Compile(nested, problem);
  EXPECT_TRUE(!matcher || matcher->Search("a"));
}

}  // namespace
}  // namespace weightsmith::internal
