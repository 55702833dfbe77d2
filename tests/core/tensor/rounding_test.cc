#include "core/tensor/rounding.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "core/tensor/codec.h"

namespace weightsmith::internal {
namespace {

/// What the dtype makes of the values when they are stored and read again.
std::vector<float> Stored(DType dtype, const std::vector<float>& values) {
  std::vector<std::byte> bytes(values.size() * Info(dtype).bits / 8);
  Encode(dtype, values, bytes);
  std::vector<float> read(values.size());
  Decode(dtype, bytes, read);
  return read;
}

constexpr DType kNarrow[] = {DType::kF16, DType::kBF16, DType::kF8E4M3, DType::kF8E5M2};

TEST(Rounding, IsReadAndWrittenAsAWord) {
  EXPECT_EQ(RoundingByWord("nearest"), Rounding());
  EXPECT_EQ(RoundingByWord("stochastic"), (Rounding{true, 0}));
  EXPECT_EQ(RoundingByWord("stochastic:7"), (Rounding{true, 7}));
  for (const char* wrong :
       {"", "stochastic:", "stochastic:x", "stochastic7", "stochastic:-1", "up"}) {
    EXPECT_EQ(RoundingByWord(wrong), std::nullopt) << wrong;
  }
  EXPECT_EQ(ToString({true, 7}), "stochastic:7");
}

TEST(RoundStochastically, GivesANeighbourAndTheRightMean) {
  for (const DType dtype : kNarrow) {
    SCOPED_TRACE(Info(dtype).name);
    for (const float value : {1.0f / 3, -0.1f, 3.7f, 1e-3f, -2e-5f, 1e-7f}) {
      constexpr std::size_t kMany = 40000;
      std::vector<float> values(kMany, value);
      RoundStochastically(dtype, 5, 0, values);
      EXPECT_EQ(values, Stored(dtype, values)) << value << " is not the dtype's";
      double sum = 0;
      float least = values[0];
      float most = values[0];
      for (const float rounded : values) {
        sum += rounded;
        least = std::min(least, rounded);
        most = std::max(most, rounded);
      }
      EXPECT_LE(least, value);
      EXPECT_GE(most, value);
      // Nothing of the dtype lies between the two.
      const float middle = least + (most - least) / 2;
      const float nearest = Stored(dtype, {middle})[0];
      EXPECT_TRUE(nearest == least || nearest == most) << value;
      const double step = static_cast<double>(most) - least;
      EXPECT_NEAR(sum / kMany, value, 5 * step / std::sqrt(static_cast<double>(kMany)) + 1e-12);
    }
  }
}

TEST(RoundStochastically, LeavesWhatTheDtypeHas) {
  for (const DType dtype : kNarrow) {
    std::vector<float> values = Stored(dtype, {0.0f, -0.0f, 1, -2, 0.375f, 1e-4f, 3e-5f});
    values.push_back(static_cast<float>(LargestFinite(dtype)));
    const std::vector<float> before = values;
    RoundStochastically(dtype, 5, 0, values);
    EXPECT_EQ(values, before);
    EXPECT_TRUE(std::signbit(values[1]));
  }
  std::vector<float> odd = {std::numeric_limits<float>::infinity(), 1e30f};
  RoundStochastically(DType::kF16, 5, 0, odd);
  EXPECT_EQ(odd[0], std::numeric_limits<float>::infinity());
  EXPECT_EQ(odd[1], 1e30f) << "beyond the range is for others to judge";
  std::vector<float> wide = {1.0f / 3};
  RoundStochastically(DType::kF32, 5, 0, wide);
  EXPECT_EQ(wide[0], 1.0f / 3);
}

TEST(RoundStochastically, DependsOnTheKeyAndThePlaceOfAnElementAlone) {
  std::vector<float> whole(100, 0.1f);
  RoundStochastically(DType::kBF16, 9, 0, whole);
  for (std::uint64_t i = 0; i < whole.size(); ++i) {
    std::vector<float> one = {0.1f};
    RoundStochastically(DType::kBF16, 9, i, one);
    EXPECT_EQ(one[0], whole[i]);
  }
  std::vector<float> other(100, 0.1f);
  RoundStochastically(DType::kBF16, 10, 0, other);
  EXPECT_NE(other, whole);
  EXPECT_NE(NoiseKey({true, 0}, "a"), NoiseKey({true, 0}, "b"));
  EXPECT_NE(NoiseKey({true, 0}, "a"), NoiseKey({true, 1}, "a"));
}

}  // namespace
}  // namespace weightsmith::internal
