#include "core/base/text.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

namespace weightsmith::internal {
namespace {

TEST(Quote, ShowsWhatATerminalWouldObey) {
  EXPECT_EQ(Quote("a b"), "'a b'");
  EXPECT_EQ(Quote("line\nnext\t\x1b[31m"), "'line\\nnext\\t\\x1b[31m'");
  EXPECT_EQ(Quote(std::string_view("nul\0", 4)), "'nul\\x00'");
  EXPECT_EQ(Quote("\xc2\x85 \xe2\x80\xae"), "'\\u0085 \\u202e'");
}

TEST(Quote, KeepsUtf8AndShowsInvalidBytes) {
  EXPECT_EQ(Quote("Foto × アニメ"), "'Foto × アニメ'");
  EXPECT_EQ(Quote("\xff\xc3"), "'\\xff\\xc3'");
  EXPECT_EQ(Quote("\xed\xa0\x80"), "'\\xed\\xa0\\x80'");  // a surrogate
  EXPECT_EQ(Quote("\xc0\xaf"), "'\\xc0\\xaf'");           // an overlong slash
}

TEST(Quote, CutsAtTheLimitBetweenCharacters) {
  EXPECT_EQ(Quote("abcdef", 4), "'abcd…'");
  EXPECT_EQ(Quote("abcdef", 6), "'abcdef'");
  EXPECT_EQ(Quote("ab×", 3), "'ab…'");
}

TEST(FormatBytes, HasThreeDigitsInDecimalUnits) {
  EXPECT_EQ(FormatBytes(0), "0 B");
  EXPECT_EQ(FormatBytes(412), "412 B");
  EXPECT_EQ(FormatBytes(1000), "1.00 kB");
  EXPECT_EQ(FormatBytes(2'132'696'762), "2.13 GB");
  EXPECT_EQ(FormatBytes(23'802'932'552), "23.8 GB");
  EXPECT_EQ(FormatBytes(999'499), "999 kB");
  EXPECT_EQ(FormatBytes(999'500), "1.00 MB");
  EXPECT_EQ(FormatBytes(9'996), "10.0 kB");
  EXPECT_EQ(FormatBytes(std::numeric_limits<std::uint64_t>::max()), "18.4 EB");
}

TEST(FormatCount, GroupsThousands) {
  EXPECT_EQ(FormatCount(0), "0");
  EXPECT_EQ(FormatCount(999), "999");
  EXPECT_EQ(FormatCount(1131), "1,131");
  EXPECT_EQ(FormatCount(1066235307), "1,066,235,307");
}

TEST(FormatNumber, IsTheShortestFormThatParsesBack) {
  EXPECT_EQ(FormatNumber(0.3), "0.3");
  EXPECT_EQ(FormatNumber(1), "1");
  EXPECT_EQ(FormatNumber(-0.0), "-0");
  EXPECT_EQ(FormatNumber(1e-5), "1e-05");
  EXPECT_EQ(FormatNumber(100000), "100000");
  EXPECT_EQ(FormatNumber(0.1 + 0.2), "0.30000000000000004");
  for (const double value : {1.0 / 3, 0x1p-1074, 1.7976931348623157e308, 12345.678}) {
    EXPECT_EQ(ParseNumber(FormatNumber(value)), value);
  }
}

TEST(ParseNumber, TakesTheWholeTextOrNothing) {
  EXPECT_EQ(ParseNumber("0.3"), 0.3);
  EXPECT_EQ(ParseNumber("+.5"), 0.5);
  EXPECT_EQ(ParseNumber("-1e-3"), -0.001);
  for (const char* text : {"", "0.3x", " 1", "1 ", "nan", "inf", "-inf", "1e999", "0x10", "+-1"}) {
    EXPECT_EQ(ParseNumber(text), std::nullopt) << text;
  }
}

TEST(ParseBytes, KnowsDecimalAndBinaryUnits) {
  EXPECT_EQ(ParseBytes("1000"), 1000u);
  EXPECT_EQ(ParseBytes("1000B"), 1000u);
  EXPECT_EQ(ParseBytes("512M"), 512'000'000u);
  EXPECT_EQ(ParseBytes("5GB"), 5'000'000'000u);
  EXPECT_EQ(ParseBytes("5 gb"), 5'000'000'000u);
  EXPECT_EQ(ParseBytes("1.5GiB"), 1'610'612'736u);
  EXPECT_EQ(ParseBytes("64Ki"), 65'536u);
  EXPECT_EQ(ParseBytes("2T"), 2'000'000'000'000u);
}

TEST(ParseBytes, RefusesWhatIsNoSize) {
  for (const char* text : {"", "M", "-1", "1.2.3G", "5X", "5GX", "1e3", "99999999999999999999",
                           "18446744073709551615K", "1 M "}) {
    EXPECT_EQ(ParseBytes(text), std::nullopt) << text;
  }
}

TEST(NearestName, FindsSlipsOfTheFinger) {
  const std::vector<std::string> known = {"weighted_sum", "add_difference", "linear", "alpha"};
  EXPECT_EQ(NearestName("wieghted_sum", known), "weighted_sum");
  EXPECT_EQ(NearestName("Weighted-Sum", known), "weighted_sum");
  EXPECT_EQ(NearestName("alhpa", known), "alpha");
  EXPECT_EQ(NearestName("lineer", known), "linear");
}

TEST(NearestName, DoesNotGuessWildly) {
  const std::vector<std::string> known = {"a", "linear", "beta"};
  EXPECT_EQ(NearestName("b", known), std::nullopt);
  EXPECT_EQ(NearestName("slerp", known), std::nullopt);
  EXPECT_EQ(NearestName("", known), std::nullopt);
  EXPECT_EQ(NearestName("x", {}), std::nullopt);
}

TEST(DidYouMean, IsASentenceOrNothing) {
  const std::vector<std::string> known = {"alpha"};
  EXPECT_EQ(DidYouMean("alpah", known), " Did you mean 'alpha'?");
  EXPECT_EQ(DidYouMean("models", known), "");
}

}  // namespace
}  // namespace weightsmith::internal
