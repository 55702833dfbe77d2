#include "core/base/elementary.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace weightsmith::internal {
namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

// The oracle is the maths library, whose error is below an ulp.
TEST(Elementary, SineAndCosineAgreeWithTheMathsLibrary) {
  for (int i = -30'000; i <= 30'000; ++i) {
    const double x = i * 1e-3;
    EXPECT_NEAR(Sine(x), std::sin(x), 2 * kEpsilon) << x;
    EXPECT_NEAR(Cosine(x), std::cos(x), 2 * kEpsilon) << x;
  }
}

TEST(Elementary, SmallSinesKeepTheirDigits) {
  for (double x = 0.5; x > 1e-300; x /= 3) {
    EXPECT_NEAR(Sine(x) / std::sin(x), 1, 2 * kEpsilon) << x;
  }
}

TEST(Elementary, ArcCosineAgreesWithTheMathsLibrary) {
  for (int i = -100'000; i <= 100'000; ++i) {
    const double x = i * 1e-5;
    EXPECT_NEAR(ArcCosine(x), std::acos(x), 2 * kEpsilon * std::max(1.0, std::acos(x))) << x;
  }
}

TEST(Elementary, ArcCosineNearOneKeepsItsDigits) {
  for (double gap = 0.25; gap > 1e-15; gap /= 2) {
    EXPECT_NEAR(ArcCosine(1 - gap) / std::acos(1 - gap), 1, 2 * kEpsilon) << gap;
  }
}

TEST(Elementary, TheEndsAreExact) {
  EXPECT_EQ(Sine(0), 0);
  EXPECT_EQ(Cosine(0), 1);
  EXPECT_EQ(ArcCosine(1), 0);
  EXPECT_EQ(ArcCosine(-1), std::acos(-1.0));
  EXPECT_EQ(ArcCosine(0), std::acos(0.0));
  EXPECT_TRUE(std::isnan(ArcCosine(1.0000001)));
}

}  // namespace
}  // namespace weightsmith::internal
