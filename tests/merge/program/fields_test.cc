#include "merge/program/fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>

namespace weightsmith::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::IsNan;

enum class Colour { kRed, kGreen, kBlue };

struct Part {
  std::size_t first = 0;
  bool inverted = false;
};

struct Whole {
  double share = 0;
  Colour colour = Colour::kRed;
  std::optional<double> limit{};
  std::optional<std::uint64_t> count{};
  std::vector<Part> parts{};
};

struct Nothing {};

struct Eight {
  double a, b, c, d, e, f, g, h;
};

TEST(Fields, AreNumbersInTheOrderOfTheirDeclaration) {
  EXPECT_THAT(NumbersOfFields(Part{.first = 7, .inverted = true}), ElementsAre(7, 1));
  EXPECT_THAT(NumbersOfFields(Eight{1, 2, 3, 4, 5, 6, 7, 8}), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
  EXPECT_THAT(NumbersOfFields(Nothing{}), IsEmpty());
}

TEST(Fields, OfAListFollowOneAnotherAndNoneIsNan) {
  const Whole whole{
      .share = 0.5, .colour = Colour::kBlue, .count = 3, .parts = {{1, false}, {4, true}}};
  EXPECT_THAT(NumbersOfFields(whole), ElementsAre(0.5, 2, IsNan(), 3, 1, 0, 4, 1));
}

}  // namespace
}  // namespace weightsmith::internal
