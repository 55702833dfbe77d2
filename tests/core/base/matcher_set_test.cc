#include "core/base/matcher_set.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/caught.h"

namespace weightsmith::internal {
namespace {

using testing::HasSubstr;

MatcherSet SetOf(std::initializer_list<std::string_view> patterns) {
  MatcherSet set;
  std::string problem;
  for (const std::string_view pattern : patterns) {
    EXPECT_TRUE(set.Add("(?:.*\\.)?", pattern, problem)) << problem;
  }
  EXPECT_TRUE(set.Finish());
  return set;
}

TEST(MatcherSet, FindsTheFirstThatMatchesAll) {
  const MatcherSet set = SetOf({"q_proj", "layers\\.\\d+\\.k_proj", ".*proj", "^head"});
  EXPECT_EQ(set.FirstMatch("model.layers.0.q_proj"), 0u);
  EXPECT_EQ(set.FirstMatch("q_proj"), 0u);
  EXPECT_EQ(set.FirstMatch("model.layers.12.k_proj"), 1u);
  EXPECT_EQ(set.FirstMatch("model.xq_proj"), 2u) << "a segment is matched whole";
  EXPECT_EQ(set.FirstMatch("q_proj.x"), std::nullopt);
  EXPECT_EQ(set.FirstMatch("head"), 3u);
  EXPECT_EQ(set.FirstMatch("model.head"), std::nullopt) << "^ is the start of the whole name";
  EXPECT_EQ(SetOf({}).FirstMatch("q_proj"), std::nullopt);
}

TEST(MatcherSet, RefusesWhatIsNoExpressionByItself) {
  MatcherSet set;
  std::string problem;
  EXPECT_FALSE(set.Add("", "a)|(b", problem));
  EXPECT_FALSE(set.Add("", "(?=a)", problem));
  EXPECT_THAT(problem, HasSubstr("look-ahead"));
  EXPECT_FALSE(set.Add("", R"((a)\1)", problem));
  EXPECT_THAT(problem, HasSubstr("back-references"));
}

TEST(MatcherSet, TakesThousandsOfNames) {
  MatcherSet set;
  std::string problem;
  for (int i = 0; i < 3000; ++i) {
    ASSERT_TRUE(set.Add("(?:.*\\.)?", fmt::format("blocks.{}.attn.to_q", i), problem)) << problem;
  }
  ASSERT_TRUE(set.Finish());
  for (int i = 0; i < 3000; i += 7) {
    EXPECT_EQ(set.FirstMatch(fmt::format("transformer.blocks.{}.attn.to_q", i)), i);
  }
}

TEST(MatcherSet, ExpressionsThatExplodeEndInAnError) {
  const MatcherSet set = SetOf({"[ab]*a[ab]{500}", "[ab]*b[ab]{499}a", "[ab]*a[ab]{498}b"});
  std::string text;
  std::uint32_t bits = 1;
  for (int i = 0; i < 400'000; ++i) {
    bits = bits * 1664525 + 1013904223;
    text += bits >> 31 == 0 ? 'a' : 'b';
  }
  try {
    set.FirstMatch(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInput);
    EXPECT_THAT(error.message(), HasSubstr("64 MiB"));
  }
}

}  // namespace
}  // namespace weightsmith::internal
