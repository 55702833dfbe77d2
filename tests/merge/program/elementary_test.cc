// Exponentials and their like on tiles.
#include "core/base/elementary.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "core/base/simd.h"
#include "tests/merge/tape_harness.h"

namespace weightsmith::internal {
namespace {

constexpr double kExponent = 0.3;

struct Function {
  OpCode code;
  double (*meaning)(double x, double y);
};

constexpr std::array kFunctions{
    Function{OpCode::kExponential, [](double x, double) { return Exponential(x); }},
    Function{OpCode::kLogarithm, [](double x, double) { return Logarithm(x); }},
    Function{OpCode::kHyperbolicTangent, [](double x, double) { return HyperbolicTangent(x); }},
    Function{OpCode::kPower, [](double x, double) { return Power(x, kExponent); }},
    Function{OpCode::kPowerOf, [](double x, double y) { return Power(x, y); }},
};

/// Numbers of every size and sign, and what is special.
template <class T>
std::vector<T> Arguments() {
  using Limits = std::numeric_limits<T>;
  std::vector<T> values{0,
                        -T{0},
                        1,
                        -1,
                        Limits::infinity(),
                        -Limits::infinity(),
                        Limits::quiet_NaN(),
                        Limits::denorm_min(),
                        -Limits::denorm_min(),
                        Limits::min(),
                        Limits::max(),
                        -Limits::max(),
                        T(0.171874),
                        T(0.171876)};
  for (int i = 0; values.size() < kTile; ++i) {
    const double size = std::pow(10.0, (i % 97) / 8.0 - 9);
    values.push_back(static_cast<T>((i % 3 == 0 ? -1 : 1) * size));
  }
  return values;
}

template <class T>
std::vector<T> Computed(OpCode code, const std::vector<T>& x, const std::vector<T>& y) {
  RegisterFile<T> registers(3);
  std::ranges::copy(x, registers[0].begin());
  std::ranges::copy(y, registers[1].begin());
  const Instruction instruction{code, 2, {0, 1}, {kExponent}};
  RunTape({.sources = 2, .registers = 3, .instructions = {instruction}}, registers.all(), x.size(),
          0);
  return {registers[2].begin(), registers[2].begin() + static_cast<std::ptrdiff_t>(x.size())};
}

class ElementaryTiles : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { ForceSimdTarget(GetParam()); }
  void TearDown() override { ForceSimdTarget(""); }

  template <class T>
  void CheckBits() {
    const std::vector<T> x = Arguments<T>();
    std::vector<T> y = x;
    std::rotate(y.begin(), y.begin() + 5, y.end());
    for (const Function& function : kFunctions) {
      const std::vector<T> computed = Computed(function.code, x, y);
      for (std::size_t i = 0; i < x.size(); ++i) {
        const T expected =
            static_cast<T>(function.meaning(static_cast<double>(x[i]), static_cast<double>(y[i])));
        ASSERT_EQ(Bits(computed[i]), Bits(expected))
            << static_cast<int>(function.code) << " of " << x[i] << ", " << y[i];
      }
    }
  }
};

INSTANTIATE_TEST_SUITE_P(Simd, ElementaryTiles, ::testing::ValuesIn(SimdTargets()),
                         [](const auto& test) { return test.param; });

TEST_P(ElementaryTiles, HaveTheBitsOfScalars) {
  CheckBits<float>();
  CheckBits<double>();
}

TEST_P(ElementaryTiles, CosinesAgreeWithScalarsAndHaveTheSameBitsEverywhere) {
  std::vector<double> x;
  for (int i = 0; i < static_cast<int>(kTile); ++i) x.push_back((i - 512) * 0.173);
  const std::vector<double> computed = Computed(OpCode::kCosine, x, x);
  for (std::size_t i = 0; i < x.size(); ++i) {
    EXPECT_NEAR(computed[i], Cosine(x[i]), 4 * std::numeric_limits<double>::epsilon()) << x[i];
  }
  ForceSimdTarget("");
  EXPECT_EQ(Computed(OpCode::kCosine, x, x), computed);
}

}  // namespace
}  // namespace weightsmith::internal
