#include "merge/program/random.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

namespace weightsmith::internal {
namespace {

constexpr double kLogOfTwo = 0x1.62e42fefa39efp-1;

/// ln x of a normal number, within a few ulp, by operations that are the same everywhere.
double Logarithm(double x) {
  constexpr double kRootOfHalf = 0x1.6a09e667f3bcdp-1;
  constexpr int kTerms = 12;
  int exponent = 0;
  double mantissa = std::frexp(x, &exponent);
  if (mantissa < kRootOfHalf) {
    mantissa *= 2;
    --exponent;
  }
  // ln m = 2·artanh((m - 1) / (m + 1)), whose argument is below 0.172.
  const double ratio = (mantissa - 1) / (mantissa + 1);
  const double square = ratio * ratio;
  double sum = 0;
  for (int k = kTerms; k >= 1; --k) sum = square * (1 / (2.0 * k + 1) + sum);
  return exponent * kLogOfTwo + 2 * (ratio + ratio * sum);
}

double Polynomial(std::span<const double> coefficients, double x) {
  double sum = 0;
  for (const double coefficient : coefficients) sum = sum * x + coefficient;
  return sum;
}

// Of AS 241, for 1.6 < sqrt(-ln p) <= 5, the highest power first.
constexpr std::array kTailAbove{7.74545014278341407640e-4, 2.27238449892691845833e-2,
                                2.41780725177450611770e-1, 1.27045825245236838258e+0,
                                3.64784832476320460504e+0, 5.76949722146069140550e+0,
                                4.63033784615654529590e+0, 1.42343711074968357734e+0};
constexpr std::array kTailBelow{1.05075007164441684324e-9, 5.47593808499534494600e-4,
                                1.51986665636164571966e-2, 1.48103976427480074590e-1,
                                6.89767334985100004550e-1, 1.67638483018380384940e+0,
                                2.05319162663775882187e+0, 1.0};

}  // namespace

RandomStream StreamOf(std::uint64_t seed, std::string_view op, std::size_t operand,
                      std::string_view tensor) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : fmt::format("{}\n{}\n{}", op, operand, tensor)) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  }
  return {seed, hash};
}

std::array<std::uint32_t, 4> Philox(std::array<std::uint32_t, 4> counter,
                                    std::array<std::uint32_t, 2> key) {
  constexpr int kRounds = 10;
  for (int round = 0; round < kRounds; ++round) {
    const std::uint64_t first = std::uint64_t{0xD2511F53u} * counter[0];
    const std::uint64_t second = std::uint64_t{0xCD9E8D57u} * counter[2];
    counter = {static_cast<std::uint32_t>(second >> 32) ^ counter[1] ^ key[0],
               static_cast<std::uint32_t>(second),
               static_cast<std::uint32_t>(first >> 32) ^ counter[3] ^ key[1],
               static_cast<std::uint32_t>(first)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return counter;
}

double NormalTail(double p) {
  const double distance = std::sqrt(-Logarithm(std::min(p, 1 - p))) - 1.6;
  const double quantile = Polynomial(kTailAbove, distance) / Polynomial(kTailBelow, distance);
  return p < 0.5 ? -quantile : quantile;
}

}  // namespace weightsmith::internal
