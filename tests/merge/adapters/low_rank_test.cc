#include "merge/adapters/low_rank.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "core/base/simd.h"

namespace weightsmith::internal {
namespace {

constexpr std::size_t kRows = 37;
constexpr std::size_t kColumns = 150;
constexpr std::size_t kRank = 9;

/// Few digits and many magnitudes: sums that lie just beside the middle of two floats are common.
std::vector<float> Values(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> values(n);
  for (float& value : values) {
    const int digits = static_cast<int>(random() % 8191) - 4095;
    const int exponent = static_cast<int>(random() % 28) - 24;
    value = std::ldexp(static_cast<float>(digits), exponent);
  }
  return values;
}

class LowRankOnEveryTarget : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { ForceSimdTarget(GetParam()); }
  void TearDown() override { ForceSimdTarget(""); }

  const std::vector<float> up_ = Values(kRows * kRank, 1);
  const std::vector<float> down_ = Values(kRank * kColumns, 2);

  /// The product, `piece` elements at a time.
  std::vector<float> InPieces(std::size_t piece, float scale) const {
    const LowRank product(up_, down_, kRank, scale);
    std::vector<float> all;
    while (all.size() < kRows * kColumns) {
      std::vector<float> part(std::min(piece, kRows * kColumns - all.size()));
      product.Fill(all.size(), part);
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }

  /// By the mathematics library.
  std::vector<float> Expected(float scale) const {
    std::vector<float> expected;
    for (std::size_t row = 0; row < kRows; ++row) {
      for (std::size_t column = 0; column < kColumns; ++column) {
        float sum = 0;
        for (std::size_t k = 0; k < kRank; ++k) {
          const volatile float scaled = up_[row * kRank + k] * scale;
          sum = std::fma(scaled, down_[k * kColumns + column], sum);
        }
        expected.push_back(sum);
      }
    }
    return expected;
  }
};

INSTANTIATE_TEST_SUITE_P(Simd, LowRankOnEveryTarget, ::testing::ValuesIn(SimdTargets()),
                         [](const auto& test) { return test.param; });

TEST_P(LowRankOnEveryTarget, AddsEveryProductWithOneRounding) {
  EXPECT_EQ(InPieces(kRows * kColumns, 1), Expected(1));
  EXPECT_EQ(InPieces(kRows * kColumns, 0.3f), Expected(0.3f));
}

TEST_P(LowRankOnEveryTarget, IsTheSameWhateverPartIsAskedFor) {
  const std::vector<float> expected = Expected(0.3f);
  for (const std::size_t piece : {1, 64, 449, 1000}) {
    EXPECT_EQ(InPieces(piece, 0.3f), expected) << piece;
  }
}

}  // namespace
}  // namespace weightsmith::internal
