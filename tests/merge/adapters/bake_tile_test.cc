#include "merge/adapters/bake_tile.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "core/base/aligned_vector.h"
#include "core/base/simd.h"
#include "core/tensor/codec.h"
#include "tests/merge/tape_harness.h"

namespace weightsmith::internal {
namespace {

constexpr std::size_t kCount = kTile - 16;
constexpr float kStrength = 0.7f;

class BakeTileTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    ForceSimdTarget(GetParam());
    std::mt19937 random(7);
    std::normal_distribution<float> normal(0, 0.05f);
    for (std::size_t i = 0; i < kCount; ++i) {
      base_.push_back(normal(random));
      // Some that change nothing, and some that rounding takes away.
      delta_.push_back(i % 5 == 0 ? 0 : normal(random) * (i % 3 == 0 ? 1e-4f : 0.1f));
    }
  }
  void TearDown() override { ForceSimdTarget(""); }

  std::optional<Effect> Run(DType dtype, float limit) {
    const std::size_t size = Info(dtype).bits / 8;
    stored_.resize(base_.size() * size);
    Encode(dtype, base_, stored_);
    Decode(dtype, stored_, base_);
    out_.assign(stored_.size(), std::byte{0x55});
    return Bake({dtype, stored_, delta_, kStrength, limit, out_});
  }

  void CheckAgainstMeaning(DType dtype, float limit) {
    const std::optional<Effect> effect = Run(dtype, limit);
    ASSERT_TRUE(effect);
    std::vector<float> expected;
    Effect sums{.elements = base_.size()};
    for (std::size_t i = 0; i < base_.size(); ++i) {
      const float added = kStrength * delta_[i];
      expected.push_back(base_[i] + added);
      const double change = static_cast<double>(expected[i]) - static_cast<double>(base_[i]);
      sums.changed += change != 0 ? 1 : 0;
      sums.change_squares += change * change;
      sums.before_squares += static_cast<double>(base_[i]) * static_cast<double>(base_[i]);
    }
    std::vector<std::byte> bytes(out_.size());
    Encode(dtype, expected, bytes);
    EXPECT_EQ(out_, bytes);
    const std::size_t size = bytes.size() / base_.size();
    for (std::size_t at = 0; at < bytes.size(); at += size) {
      sums.rounded += std::memcmp(&stored_[at], &bytes[at], size) != 0 ? 1 : 0;
    }
    EXPECT_EQ(effect->rounded, sums.rounded);
    EXPECT_EQ(sums.rounded < sums.changed, dtype != DType::kF32);
    EXPECT_EQ(effect->elements, sums.elements);
    EXPECT_EQ(effect->changed, sums.changed);
    EXPECT_NEAR(effect->change_squares / sums.change_squares, 1, 1e-5);
    EXPECT_NEAR(effect->before_squares / sums.before_squares, 1, 1e-5);
  }

  std::vector<float> base_;
  AlignedVector<float> delta_;
  std::vector<std::byte> stored_;
  std::vector<std::byte> out_;
};

INSTANTIATE_TEST_SUITE_P(Simd, BakeTileTest, ::testing::ValuesIn(SimdTargets()),
                         [](const auto& test) { return test.param; });

TEST_P(BakeTileTest, AddsAndTellsWhatChanged) {
  CheckAgainstMeaning(DType::kF16, 65520);
  CheckAgainstMeaning(DType::kBF16, 0x1.ffp127f);
  CheckAgainstMeaning(DType::kF32, std::numeric_limits<float>::infinity());
}

TEST_P(BakeTileTest, MeasuresAsTheTapeDoesToTheLastBit) {
  const std::optional<Effect> effect = Run(DType::kF16, 65520);
  RegisterFile<float> registers(3);
  std::ranges::copy(base_, registers[0].begin());
  std::ranges::copy(delta_, registers[1].begin());
  RunTape({.sources = 2,
           .registers = 3,
           .instructions = {{OpCode::kAddScaled, 2, {0, 1}, {kStrength}}}},
          registers.all(), kCount, 0);
  const Effect expected = MeasureTile({.before = 0, .after = 2}, registers.all(), kCount);
  ASSERT_TRUE(effect);
  EXPECT_EQ(effect->change_squares, expected.change_squares);
  EXPECT_EQ(effect->before_squares, expected.before_squares);
}

TEST_P(BakeTileTest, LeavesWhatDoesNotFitToOthers) {
  for (const float value : {65520.0f, -INFINITY, NAN}) {
    for (const std::size_t at : {std::size_t{0}, kCount / 2, kCount - 1}) {
      base_[at] = 0;
      delta_[at] = value / kStrength;
      EXPECT_FALSE(Run(DType::kF16, 65520)) << value << " at " << at;
      delta_[at] = 0;
    }
  }
  EXPECT_TRUE(Run(DType::kF16, 65520));
}

TEST_P(BakeTileTest, LeavesLengthsAndDtypesThatItIsNotMadeForToOthers) {
  EXPECT_FALSE(Run(DType::kF8E4M3, 464));
  EXPECT_FALSE(Run(DType::kF64, std::numeric_limits<float>::infinity()));
  base_.pop_back();
  delta_.pop_back();
  EXPECT_FALSE(Run(DType::kF16, 65520));
}

}  // namespace
}  // namespace weightsmith::internal
