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

/// How far a value is from the one of the maths library, in ulp of that.
double UlpFrom(double value, long double expected) {
  const auto near = static_cast<double>(expected);
  const double step = std::nextafter(std::fabs(near), INFINITY) - std::fabs(near);
  return static_cast<double>(std::fabs(static_cast<long double>(value) - expected) / step);
}

TEST(Elementary, ExponentialAgreesWithTheMathsLibrary) {
  for (int i = -740'000; i <= 709'000; i += 7) {
    const double x = i * 1e-3;
    EXPECT_LE(UlpFrom(Exponential(x), std::exp(static_cast<long double>(x))), 2) << x;
  }
  EXPECT_EQ(Exponential(0), 1);
  EXPECT_EQ(Exponential(-INFINITY), 0);
  EXPECT_EQ(Exponential(-746), 0);
  EXPECT_EQ(Exponential(INFINITY), INFINITY);
  EXPECT_TRUE(std::isnan(Exponential(NAN)));
}

TEST(Elementary, LogarithmAgreesWithTheMathsLibrary) {
  for (int i = 1; i <= 300'000; ++i) {
    const double x = i * 1e-5;
    EXPECT_LE(UlpFrom(Logarithm(x), std::log(static_cast<long double>(x))), 2) << x;
  }
  for (double x = 5e-324; x < 1e308; x *= 7.25) {
    EXPECT_LE(UlpFrom(Logarithm(x), std::log(static_cast<long double>(x))), 2) << x;
  }
  EXPECT_EQ(Logarithm(1), 0);
  EXPECT_EQ(Logarithm(0), -INFINITY);
  EXPECT_EQ(Logarithm(INFINITY), INFINITY);
  EXPECT_TRUE(std::isnan(Logarithm(-1)));
  EXPECT_TRUE(std::isnan(Logarithm(NAN)));
}

TEST(Elementary, HyperbolicTangentAgreesWithTheMathsLibrary) {
  for (int i = -250'000; i <= 250'000; ++i) {
    const double x = i * 1e-4;
    EXPECT_LE(UlpFrom(HyperbolicTangent(x), std::tanh(static_cast<long double>(x))), 8) << x;
  }
  for (double x = 0.5; x > 1e-300; x /= 3) {
    EXPECT_LE(UlpFrom(HyperbolicTangent(x), std::tanh(static_cast<long double>(x))), 8) << x;
  }
  EXPECT_EQ(HyperbolicTangent(INFINITY), 1);
  EXPECT_EQ(HyperbolicTangent(-INFINITY), -1);
  EXPECT_TRUE(std::isnan(HyperbolicTangent(NAN)));
}

TEST(Elementary, PowerAgreesWithTheMathsLibrary) {
  for (int i = 1; i <= 300; ++i) {
    for (int k = -40; k <= 40; ++k) {
      const double x = i * 0.037;
      const double y = k * 0.25;
      const long double expected = std::pow(static_cast<long double>(x), y);
      EXPECT_LE(UlpFrom(Power(x, y), expected), 2 * (2 + std::fabs(y * std::log(x))))
          << x << "^" << y;
    }
  }
  EXPECT_EQ(Power(0, 0.5), 0);
  EXPECT_EQ(Power(0, 0), 1);
  EXPECT_EQ(Power(0, -1), INFINITY);
  EXPECT_TRUE(std::isnan(Power(-1, 0.5)));
}

}  // namespace
}  // namespace weightsmith::internal
