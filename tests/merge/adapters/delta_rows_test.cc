#include "merge/adapters/module_delta.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/caught.h"

namespace weightsmith::internal {
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

std::vector<float> DeltaOf(const AdapterValues& values, const Shape& weight,
                           const std::vector<float>& of = {}) {
  AdapterModule module;
  module.stem = "m";
  module.family = FamilyOf(values.shapes);
  module.shapes = values.shapes;
  const MatrixSize size = SizeOf(module, AdapterTarget::kWeight);
  const MatrixSize expected = SizeAsMatrix(weight);
  if (size.rows != 0) ExpectEqual(size.rows, expected.rows, "the height");
  if (size.columns != 0) ExpectEqual(size.columns, expected.columns, "the width");
  const auto rows = MakeDelta(module, AdapterTarget::kWeight, values, {weight, of});
  std::vector<float> delta(ElementCount(weight).value());
  rows->Fill(0, delta);
  // In any pieces it is the same.
  for (const std::size_t piece : {1, 3}) {
    for (std::size_t at = 0; at < delta.size(); at += piece) {
      std::vector<float> part(std::min(piece, delta.size() - at));
      rows->Fill(at, part);
      EXPECT_THAT(part, ElementsAreArray(delta.data() + at, part.size()));
    }
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
  EXPECT_THAT(Refusal(values, {2, 5}), HasSubstr("the width is 4, not 5"));
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
  EXPECT_THAT(Refusal(values, {4, 2}), HasSubstr("the height is 2, not 4"));
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

const std::vector<float> kWeight1To8 = {1, 2, 3, 4, 5, 6, 7, 8};  // [2, 4]

/// What the module makes of the weight, whose golden values are given with five digits.
void ExpectResult(const AdapterValues& values, const std::vector<double>& expected,
                  double strength = 1) {
  const std::vector<float> delta = DeltaOf(values, {2, 4}, kWeight1To8);
  for (std::size_t i = 0; i < delta.size(); ++i) {
    EXPECT_NEAR(kWeight1To8[i] + strength * delta[i], expected[i], 5e-5) << i;
  }
}

TEST(DeltaRows, DoraOfInputColumnsAndOfRows) {
  AdapterValues values = Values({{kDown, {1, 4}, {1, 0, -1, 2}}, {kUp, {2, 1}, {2, -1}}});
  values.shapes[kDoraScale] = {1, 4};
  values.values[kDoraScale] = {2, 4, 6, 8};
  ExpectResult(values, {1.2, 1.264911, .744208, 6.4, 1.6, 3.794733, 5.953667, 4.8});
  const std::vector<double> by_row = {1.698416, 1.132277, .566139,  4.529108,
                                      3.244428, 4.866643, 6.488857, 4.866643};
  for (const Shape& shape : {Shape{2, 1}, Shape{2}}) {
    values.shapes[kDoraScale] = shape;
    values.values[kDoraScale] = {5, 10};
    ExpectResult(values, by_row);
    ExpectResult(values,
                 {1.349208, 1.566139, 1.783069, 4.264554, 4.122214, 5.433321, 6.744428, 6.433321},
                 .5);
  }
  values.shapes.erase(kDoraScale);
  values.shapes[kMagnitude] = {2};
  values.values[kMagnitude] = {5, 10};
  ExpectResult(values, by_row);
  values.shapes[kMagnitude] = {3};
  EXPECT_THAT(Caught([&] {
                DeltaOf(values, {2, 4}, kWeight1To8);
              }).message(),
              HasSubstr("magnitudes of shape [3] do not fit a weight of shape [2, 4]"));
}

TEST(DeltaRows, OftRotatesRows) {
  AdapterValues values = Values({{kRotation, {1, 2, 2}, {0, .25, -.25, 0}}});
  ExpectResult(values, {-3.4, -3.6, -3.8, -4, 3.8, 5.2, 6.6, 8});
  ExpectResult(values, {-1.2, -.8, -.4, 0, 4.4, 5.6, 6.8, 8}, .5);
  values.shapes[kRescale] = {2, 1};
  values.values[kRescale] = {2, 1};
  ExpectResult(values, {-6.8, -7.2, -7.6, -8, 3.8, 5.2, 6.6, 8});
  values.strength = .5;  // half the rotation, then half of the doubling
  ExpectResult(values, {-1.8, -1.2, -.6, 0, 4.4, 5.6, 6.8, 8});
}

TEST(DeltaRows, OftOfOlderFilesHasItsRotationsAsTheyAre) {
  ExpectResult(Values({{kRotated, {1, 2, 2}, {.6f, .8f, -.8f, .6f}}}),
               {-3.4, -3.6, -3.8, -4, 3.8, 5.2, 6.6, 8});
}

TEST(DeltaRows, OftIsLimitedByAlpha) {
  AdapterValues values = Values({{kRotation, {1, 2, 2}, {0, 2.5, -2.5, 0}}});
  // |B - Bᵀ| is 5·√2; alpha times the rows limits it to a tenth of that.
  values.alpha = 0.5 * std::sqrt(2.0) / 2;
  ExpectResult(values, {-3.4, -3.6, -3.8, -4, 3.8, 5.2, 6.6, 8});
}

TEST(DeltaRows, OftOfPeftRotatesColumns) {
  const AdapterValues values = Values({{kRotationPeft, {2, 1}, {.25, .1f}}});
  ExpectResult(values, {1.816406, 1.289062, 3.7323, 3.3264, 7.207031, 2.929688, 8.4447, 6.4548});
}

TEST(DeltaRows, GloraInBothOrders) {
  ExpectResult(Values({{kGloraA1, {4, 1}, {1, 0, 0, 1}},
                       {kGloraA2, {1, 4}, {1, 2, 0, 0}},
                       {kGloraB1, {2, 1}, {1, 2}},
                       {kGloraB2, {1, 4}, {0, 0, 1, 1}}}),
               {6, 12, 4, 5, 18, 32, 9, 10});
  ExpectResult(Values({{kGloraA2, {4, 1}, {1, 0, 0, 1}},
                       {kGloraA1, {1, 4}, {1, 2, 0, 0}},
                       {kGloraB2, {2, 1}, {1, 2}},
                       {kGloraB1, {1, 4}, {0, 0, 1, 1}}}),
               {6, 12, 4, 5, 18, 32, 9, 10});
}

TEST(DeltaRows, Ia3ByRowsAndByColumns) {
  ExpectResult(Values({{kWeight, {2}, {.5, -.5}}, {kOnInput, {}, {0}}}),
               {1.5, 3, 4.5, 6, 2.5, 3, 3.5, 4});
  ExpectResult(Values({{kWeight, {4}, {0, 1, 0, -1}}, {kOnInput, {}, {1}}}),
               {1, 4, 3, 0, 5, 12, 7, 0});
  ExpectResult(Values({{kIa3, {2, 1}, {1.5, .5}}}), {1.5, 3, 4.5, 6, 2.5, 3, 3.5, 4});
  ExpectResult(Values({{kIa3, {1, 4}, {1, 2, 1, 0}}}), {1, 4, 3, 0, 5, 12, 7, 0});
}

TEST(DeltaRows, LoraOfAnEmbeddingIsTransposed) {
  EXPECT_THAT(DeltaOf(Values({{kEmbeddingDown, {1, 2}, {1, 2}}, {kEmbeddingUp, {3, 1}, {1, 2, 3}}}),
                      {2, 3}),
              ElementsAreArray({1, 2, 3, 2, 4, 6}));
}

TEST(DeltaRows, SparseElementsAreAddedToTheFactors) {
  const AdapterValues values = Values({{kDown, {1, 4}, {1, 0, -1, 2}},
                                       {kUp, {2, 1}, {2, -1}},
                                       {kSparseIndices, {2, 2}, {0, 1, 1, 3}},
                                       {kSparseValues, {2}, {8, 16}},
                                       {kSparseSize, {2}, {2, 4}}},
                                      0.5f);
  EXPECT_THAT(DeltaOf(values, {2, 4}), ElementsAreArray({1.0, 4.0, -1.0, 2.0, -.5, 0.0, .5, 7.0}));
}

}  // namespace
}  // namespace weightsmith::internal
