#include "core/base/fourier.h"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <cstddef>
#include <numbers>
#include <vector>

namespace weightsmith::internal {
namespace {

struct Lines {
  std::vector<double> re;
  std::vector<double> im;
};

Lines Some(std::size_t elements) {
  Lines lines;
  for (std::size_t i = 0; i < elements; ++i) {
    lines.re.push_back(static_cast<double>(i * 37 % 101) / 50 - 1);
    lines.im.push_back(static_cast<double>(i * 53 % 89) / 44 - 1);
  }
  return lines;
}

/// The definition, in long double.
std::complex<long double> Sum(const Lines& line, std::size_t bin) {
  const std::size_t size = line.re.size();
  std::complex<long double> sum = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const long double angle = -2 * std::numbers::pi_v<long double> *
                              static_cast<long double>(i * bin % size) /
                              static_cast<long double>(size);
    sum += std::complex<long double>(line.re[i], line.im[i]) *
           std::complex<long double>(std::cos(angle), std::sin(angle));
  }
  return sum;
}

class FourierOfLength : public ::testing::TestWithParam<std::size_t> {};

TEST_P(FourierOfLength, IsTheSumOfItsDefinition) {
  const std::size_t size = GetParam();
  const Lines given = Some(size);
  Lines line = given;
  Fourier::Memory memory;
  Fourier(size).Forward(line.re, line.im, 1, memory);
  const double tolerance = 1e-15 * std::sqrt(static_cast<double>(size)) * 40;
  for (std::size_t bin = 0; bin < size; ++bin) {
    const auto expected = Sum(given, bin);
    EXPECT_NEAR(line.re[bin], static_cast<double>(expected.real()), tolerance) << bin;
    EXPECT_NEAR(line.im[bin], static_cast<double>(expected.imag()), tolerance) << bin;
  }
}

TEST_P(FourierOfLength, InverseGivesBackTheLine) {
  const std::size_t size = GetParam();
  const Lines given = Some(size);
  Lines line = given;
  const Fourier fourier(size);
  Fourier::Memory memory;
  fourier.Forward(line.re, line.im, 1, memory);
  fourier.Inverse(line.re, line.im, 1, memory);
  for (std::size_t i = 0; i < size; ++i) {
    EXPECT_NEAR(line.re[i], given.re[i], 1e-14) << i;
    EXPECT_NEAR(line.im[i], given.im[i], 1e-14) << i;
  }
}

TEST_P(FourierOfLength, SeveralLinesAtOnceHaveTheBitsOfEach) {
  const std::size_t size = GetParam();
  constexpr std::size_t kLines = 5;
  const Lines given = Some(size * kLines);
  Lines together = given;
  const Fourier fourier(size);
  Fourier::Memory memory;
  fourier.Forward(together.re, together.im, kLines, memory);
  for (std::size_t j = 0; j < kLines; ++j) {
    Lines line;
    for (std::size_t i = 0; i < size; ++i) {
      line.re.push_back(given.re[i * kLines + j]);
      line.im.push_back(given.im[i * kLines + j]);
    }
    fourier.Forward(line.re, line.im, 1, memory);
    for (std::size_t i = 0; i < size; ++i) {
      EXPECT_EQ(together.re[i * kLines + j], line.re[i]);
      EXPECT_EQ(together.im[i * kLines + j], line.im[i]);
    }
  }
}

// Powers of two, products of small primes, and primes that take the longer way.
INSTANTIATE_TEST_SUITE_P(Lengths, FourierOfLength,
                         ::testing::Values(1, 2, 3, 4, 5, 6, 8, 11, 31, 32, 37, 60, 77, 97, 128,
                                           251, 320, 502, 961, 1187, 1280));

TEST(Fourier, OfALargePrimeIsTheSumOfItsDefinition) {
  constexpr std::size_t kSize = 1'000'003;
  const Lines given = Some(kSize);
  Lines line = given;
  const Fourier fourier(kSize);
  Fourier::Memory memory;
  fourier.Forward(line.re, line.im, 1, memory);
  const auto expected = Sum(given, 12'345);
  EXPECT_NEAR(line.re[12'345], static_cast<double>(expected.real()), 1e-9);
  EXPECT_NEAR(line.im[12'345], static_cast<double>(expected.imag()), 1e-9);
}

TEST(Fourier, OfALongLineHasTheSameBitsInPartsOfAnyOrder) {
  const Fourier::Loop from_behind = [](std::size_t count, const auto& part) {
    while (count > 0) part(--count);
  };
  // Steps of all kinds with more elements than a part has, and the longer way.
  for (const std::size_t size : {std::size_t{4 * 4 * 2 * 3 * 31 * 29 * 7}, std::size_t{250'007}}) {
    const Lines given = Some(size);
    Lines one = given;
    Lines parts = given;
    Fourier::Memory memory;
    Fourier(size).Forward(one.re, one.im, 1, memory);
    Fourier(size, from_behind).Forward(parts.re, parts.im, 1, memory, from_behind);
    EXPECT_EQ(parts.re, one.re);
    EXPECT_EQ(parts.im, one.im);
  }
}

}  // namespace
}  // namespace weightsmith::internal
