#include "core/base/elementary.h"

#include <cmath>
#include <limits>

namespace weightsmith::internal {
namespace {

// π/2 in three parts, the first two of 33 bits: their products with small integers are exact.
constexpr double kHalfPiHigh = 0x1.921fb544p+0;
constexpr double kHalfPiMiddle = 0x1.0b4611a6p-34;
constexpr double kHalfPiLow = 0x1.3198a2e037073p-69;
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

}  // namespace weightsmith::internal
