#include "core/base/elementary.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "core/base/elementary_numbers.h"

namespace weightsmith::internal {
namespace {

using elementary::kHalfPiHigh;
using elementary::kHalfPiLow;
using elementary::kHalfPiMiddle;
constexpr double kHalfPi = 0x1.921fb54442d18p+0;
constexpr double kHalfPiRest = 0x1.1a62633145c07p-54;

/// x less a multiple of π/2, in [-π/4, π/4]; which multiple, modulo 4.
struct Reduced {
  double rest;
  int quarter;
};

Reduced Reduce(double x) {
  const double count = std::nearbyint(x / kHalfPi);
  const double rest = ((x - count * kHalfPiHigh) - count * kHalfPiMiddle) - count * kHalfPiLow;
  const double turns = count - 4 * std::floor(count / 4);
  return {rest, std::isfinite(turns) ? static_cast<int>(turns) : 0};
}

/// Taylor's series around 0, for |x| ≤ π/4: the next term is below half an ulp.
double SineNearZero(double x) {
  const double square = x * x;
  double sum = 0;
  for (int n = 19; n >= 3; n -= 2) sum = (1 + sum) * (-square / (n * (n - 1.0)));
  return x + x * sum;
}

double CosineNearZero(double x) {
  const double square = x * x;
  double sum = 0;
  for (int n = 20; n >= 2; n -= 2) sum = (1 + sum) * (-square / (n * (n - 1.0)));
  return 1 + sum;
}

/// Σ (2k)! / (4^k k!² (2k+1)) x^(2k+1), for |x| ≤ 1/2: terms shrink by 4 at least.
double ArcSineNearZero(double x) {
  constexpr int kTerms = 28;
  const double square = x * x;
  double sum = 0;
  for (int k = kTerms; k >= 1; --k) {
    // The ratio of the terms k and k - 1.
    const double odd = 2.0 * k - 1;
    sum = (1 + sum) * (square * odd * odd / (2.0 * k * (2.0 * k + 1)));
  }
  return x + x * sum;
}

}  // namespace

double Sine(double x) {
  const auto [rest, quarter] = Reduce(x);
  switch (quarter) {
    case 0:
      return SineNearZero(rest);
    case 1:
      return CosineNearZero(rest);
    case 2:
      return -SineNearZero(rest);
    default:
      return -CosineNearZero(rest);
  }
}

double Cosine(double x) {
  const auto [rest, quarter] = Reduce(x);
  switch (quarter) {
    case 0:
      return CosineNearZero(rest);
    case 1:
      return -SineNearZero(rest);
    case 2:
      return -CosineNearZero(rest);
    default:
      return SineNearZero(rest);
  }
}

double ArcCosine(double x) {
  if (!(x >= -1 && x <= 1)) return std::numeric_limits<double>::quiet_NaN();
  if (x > 0.5) return 2 * ArcSineNearZero(std::sqrt((1 - x) / 2));
  if (x < -0.5) {
    const double rest = 2 * ArcSineNearZero(std::sqrt((1 + x) / 2));
    return 2 * kHalfPi - (rest - 2 * kHalfPiRest);
  }
  return kHalfPi - (ArcSineNearZero(x) - kHalfPiRest);
}

double Exponential(double x) {
  if (std::isnan(x)) return x;
  using namespace elementary;
  const double held = std::fmin(std::fmax(x, kLeastExponent), kMostExponent);
  const double shifted = held * kOverLog2 + kShift;
  const double count = shifted - kShift;
  const double rest = (held - count * kLog2High) - count * kLog2Low;
  // 2^count in two factors, since neither end of the range has one.
  const double half_shifted = count * 0.5 + kShift;
  const double half = half_shifted - kShift;
  const double other_shifted = (count - half) + kShift;
  const auto power = [](double of_shifted) {
    return std::bit_cast<double>((std::bit_cast<std::uint64_t>(of_shifted) + kBias)
                                 << kMantissaBits);
  };
  return (1 + rest * ExponentialSeries(rest)) * power(half_shifted) * power(other_shifted);
}

double Logarithm(double x) {
  using namespace elementary;
  if (std::isnan(x) || x == std::numeric_limits<double>::infinity()) return x;
  if (x < 0) return std::numeric_limits<double>::quiet_NaN();
  if (x == 0) return -std::numeric_limits<double>::infinity();
  const bool tiny = x < std::numeric_limits<double>::min();
  const auto bits = std::bit_cast<std::uint64_t>(tiny ? x * kFromTiny : x);
  // x = 2^count·part, part in [√½, √2).
  const std::uint64_t moved = bits - kRootHalf + kCountBias;
  const std::uint64_t counted = moved >> kMantissaBits;
  const double shifted = std::bit_cast<double>(kShiftBits + counted) - kShift;
  const double count = shifted - kCountOffset - (tiny ? kTinyBits : 0);
  const double part = std::bit_cast<double>(bits - ((counted << kMantissaBits) - kCountBias));
  const double f = part - 1;
  const double s = f / (2 + f);
  const double half_square = 0.5 * f * f;
  const double tail = s * (half_square + LogarithmSeries(s * s)) + count * kLog2Low;
  return count * kLog2High - ((half_square - tail) - f);
}

double HyperbolicTangent(double x) {
  using namespace elementary;
  const double twice = 2 * std::fabs(x);
  double result = 0;
  if (twice < kSmallTwice) {
    const double less_one = twice * ExponentialSeries(twice);
    result = less_one / (less_one + 2);
  } else {
    result = 1 - 2 / (Exponential(twice) + 1);
  }
  return std::copysign(result, x);
}

double Power(double x, double y) {
  return y == 0 ? 1 : Exponential(y * Logarithm(x));
}

}  // namespace weightsmith::internal
