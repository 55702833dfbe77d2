#include "core/adapters/delta_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/caught.h"

namespace weightsmith {
namespace {

using testing::ElementsAreArray;
using testing::HasSubstr;
using enum AdapterRole;

struct Factor {
  AdapterRole role;
  Shape shape;
  std::vector<float> values;
};

AdapterValues Values(const std::vector<Factor>& factors, float scale = 1) {
  AdapterValues values;
  for (const Factor& factor : factors) {
    values.shapes.emplace(factor.role, factor.shape);
    values.values.emplace(factor.role, factor.values);
  }
  values.scale = scale;
  return values;
}

std::vector<float> DeltaOf(const AdapterValues& values, const Shape& weight) {
  const auto rows = FamilyOf(values.shapes)->rows(values, weight);
  std::vector<float> delta(ElementCount(weight).value());
  const std::size_t width = delta.size() / weight[0];
  for (std::uint64_t row = 0; row < weight[0]; ++row) {
    rows->Row(row, std::span(delta).subspan(row * width, width));
  }
  return delta;
}

std::string Refusal(const AdapterValues& values, const Shape& weight) {
  return Caught([&] { DeltaOf(values, weight); }).message();
}

// The vectors were computed by hand, in double, apart from this program.

TEST(DeltaRows, Lora) {
  const AdapterValues values =
      Values({{kDown, {1, 4}, {1, 0, -1, 2}}, {kUp, {2, 1}, {2, -1}}}, 0.5f);
  EXPECT_THAT(DeltaOf(values, {2, 4}), ElementsAreArray({1.0, 0.0, -1.0, 2.0, -.5, 0.0, .5, -1.0}));
  EXPECT_THAT(DeltaOf(values, {2, 1, 2, 2}), testing::SizeIs(8)) << "the same for a convolution";
  EXPECT_THAT(Refusal(values, {2, 5}), HasSubstr("2 × 4, and the weight is [2, 5]"));
}

TEST(DeltaRows, LoraOfAConvolutionOfOnePixel) {
  const AdapterValues values =
      Values({{kDown, {1, 2, 1, 1}, {1, 3}}, {kUp, {2, 1, 1, 1}, {2, -1}}});
  EXPECT_THAT(DeltaOf(values, {2, 2}), ElementsAreArray({2, 6, -1, -3}));
}

TEST(DeltaRows, LoraWithACore) {
  const AdapterValues values = Values({{kDown, {1, 2, 1, 1}, {1, 2}},
                                       {kMid, {1, 1, 2, 2}, {1, 2, 3, 4}},
                                       {kUp, {2, 1, 1, 1}, {2, 3}}});
  EXPECT_THAT(DeltaOf(values, {2, 2, 2, 2}),
              ElementsAreArray({2, 4, 6, 8, 4, 8, 12, 16, 3, 6, 9, 12, 6, 12, 18, 24}));
}

TEST(DeltaRows, Loha) {
  const AdapterValues values = Values({{kHadaW1A, {2, 1}, {2, -1}},
                                       {kHadaW1B, {1, 4}, {1, 0, -1, 2}},
                                       {kHadaW2A, {2, 1}, {1, 3}},
                                       {kHadaW2B, {1, 4}, {1, 1, 2, 2}}},
                                      0.5f);
  EXPECT_THAT(DeltaOf(values, {2, 4}),
              ElementsAreArray({1.0, 0.0, -2.0, 4.0, -1.5, 0.0, 3.0, -6.0}));
}

TEST(DeltaRows, LokrOfWholeMatrices) {
  const AdapterValues values =
      Values({{kLokrW1, {2, 2}, {1, 2, 3, 4}}, {kLokrW2, {1, 2}, {1, -1}}});
  EXPECT_THAT(DeltaOf(values, {2, 4}), ElementsAreArray({1, -1, 2, -2, 3, -3, 4, -4}));
  EXPECT_THAT(Refusal(values, {4, 2}), HasSubstr("2 × 4"));
}

TEST(DeltaRows, LokrInFactorsIsThatOfTheirProducts) {
  const AdapterValues values = Values({{kLokrW1A, {2, 1}, {1, 2}},
                                       {kLokrW1B, {1, 2}, {3, 4}},
                                       {kLokrW2A, {1, 1}, {2}},
                                       {kLokrW2B, {1, 2}, {1, -1}}});
  EXPECT_THAT(DeltaOf(values, {2, 4}), ElementsAreArray({6, -6, 8, -8, 12, -12, 16, -16}));
}

TEST(DeltaRows, WholeDifference) {
  const AdapterValues values = Values({{kDiff, {2, 2}, {1, 2, 3, 4}}}, 0.5f);
  EXPECT_THAT(DeltaOf(values, {2, 2}), ElementsAreArray({1, 2, 3, 4})) << "alpha is not for it";
}

TEST(DeltaRows, RanksThatDisagreeAreRefused) {
  EXPECT_THAT(
      Refusal(Values({{kDown, {2, 4}, std::vector<float>(8)}, {kUp, {2, 1}, {1, 1}}}), {2, 4}),
      HasSubstr("the rank of up is 1, not 2"));
}

}  // namespace
}  // namespace weightsmith
