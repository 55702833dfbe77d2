// The numbers and series that exponentials and logarithms are made of, for scalars and, in the same
// operations, for vectors.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace weightsmith::internal::elementary {

constexpr int kMantissaBits = 52;
constexpr std::uint64_t kBias = 1023;

/// A sum with it rounds to an integer, which then stands in its lowest bits.
constexpr double kShift = 0x1.8p52;
constexpr std::uint64_t kShiftBits = 0x4338000000000000;

// ln 2 in two parts, the first of 32 bits: its products with exponents are exact.
constexpr double kOverLog2 = 0x1.71547652b82fep+0;
constexpr double kLog2High = 0x1.62e42feep-1;
constexpr double kLog2Low = 0x1.a39ef35793c76p-33;

/// What is beyond them is 0 or infinite.
constexpr double kLeastExponent = -746;
constexpr double kMostExponent = 710;

/// √½ in bits; a logarithm's count is held above 0 by kCountOffset.
constexpr std::uint64_t kRootHalf = 0x3fe6a09e667f3bcd;
constexpr std::uint64_t kCountBias = std::uint64_t{1} << 62;
constexpr double kCountOffset = 1024;

/// A denormal is multiplied by 2^54 first.
constexpr double kTinyBits = 54;
constexpr double kFromTiny = 0x1p54;

/// Below it e^x - 1 is the series alone.
constexpr double kSmallTwice = 0.34375;

/// 1/(n + 1)!, from the last term that counts for |x| ≤ ln(2)/2.
constexpr std::size_t kExponentialTerms = 14;
constexpr auto kExponentialSeries = [] {
  std::array<double, kExponentialTerms> terms{};
  double factorial = 1;
  for (std::size_t n = 0; n < kExponentialTerms; ++n) {
    factorial *= static_cast<double>(n + 1);
    terms[n] = 1 / factorial;
  }
  return terms;
}();

/// 2/(2n + 3): of 2·artanh(s) - 2s, in s².
constexpr std::size_t kLogarithmTerms = 11;
constexpr auto kLogarithmSeries = [] {
  std::array<double, kLogarithmTerms> terms{};
  for (std::size_t n = 0; n < kLogarithmTerms; ++n) {
    terms[n] = 2 / static_cast<double>(2 * n + 3);
  }
  return terms;
}();

/// (e^x - 1) / x for |x| ≤ ln(2)/2.
constexpr double ExponentialSeries(double x) {
  double sum = kExponentialSeries[kExponentialTerms - 1];
  for (std::size_t n = kExponentialTerms - 1; n-- > 0;) sum = sum * x + kExponentialSeries[n];
  return sum;
}

/// (2·artanh(s) - 2s) / s of s².
constexpr double LogarithmSeries(double square) {
  double sum = kLogarithmSeries[kLogarithmTerms - 1];
  for (std::size_t n = kLogarithmTerms - 1; n-- > 0;) sum = sum * square + kLogarithmSeries[n];
  return sum * square;
}

// π/2 in three parts, the first two of 33 bits: their products with small integers are exact.
constexpr double kOverHalfPi = 0x1.45f306dc9c883p-1;
constexpr double kHalfPiHigh = 0x1.921fb544p+0;
constexpr double kHalfPiMiddle = 0x1.0b4611a6p-34;
constexpr double kHalfPiLow = 0x1.3198a2e037073p-69;

/// Of the sine -1/3!, 1/5!, … and of the cosine -1/2!, 1/4!, …, for |x| ≤ π/4.
constexpr std::size_t kCircleTerms = 10;
constexpr std::array<double, kCircleTerms> CircleSeries(int first) {
  std::array<double, kCircleTerms> terms{};
  double factorial = 1;
  for (int n = 2; n < first; ++n) factorial *= n;
  double sign = -1;
  for (std::size_t k = 0; k < kCircleTerms; ++k) {
    const double n = first + 2 * static_cast<double>(k);
    factorial *= n * (k == 0 ? 1 : n - 1);
    terms[k] = sign / factorial;
    sign = -sign;
  }
  return terms;
}
constexpr auto kSineSeries = CircleSeries(3);
constexpr auto kCosineSeries = CircleSeries(2);

}  // namespace weightsmith::internal::elementary
