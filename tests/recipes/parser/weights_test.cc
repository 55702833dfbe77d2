#include "recipes/parser/weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/model/blocks.h"
#include "tests/recipes/parser/parsed.h"

namespace weightsmith::internal {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::Optional;

const std::string kBeforeAlpha =
    "models: {a: a.safetensors, b: b.safetensors}\n"
    "output: {model: mix, path: o.safetensors}\n"
    "steps:\n"
    "  mix:\n"
    "    {op: weighted_sum, a: a, b: b, alpha: ";

Weights Alpha(const std::string& alpha, const RecipeOptions& options = {}) {
  return NodeNamed(ParsedRecipe(kBeforeAlpha + alpha + "}\n", options), "mix").parameters.at(0);
}

/// Alpha begins in line 6, column 43.
std::vector<std::string> ErrorsOfAlpha(const std::string& alpha) {
  return ErrorPlaces(kBeforeAlpha + alpha + "}\n");
}

TensorPlace UnetPlace(std::string_view local) {
  return {.canonical = local,
          .component = "unet",
          .kind = ComponentKind::kBackbone,
          .block = BlockOf(ComponentKind::kBackbone, local)};
}

const TensorPlace kInput4 = UnetPlace("input_blocks.4.1.norm.weight");
const TensorPlace kMiddle = UnetPlace("middle_block.1.norm.weight");
const TensorPlace kTextEncoder{.canonical = "text_model.final_layer_norm.bias",
                               .component = "clip_l",
                               .kind = ComponentKind::kText,
                               .text_encoder = 1};

TEST(WeightReader, ANumberIsOneValueEverywhere) {
  EXPECT_THAT(Alpha("0.35").everywhere(), Optional(0.35));
  EXPECT_THAT(Alpha("1e-3").everywhere(), Optional(0.001));
  EXPECT_THAT(Alpha("-10").everywhere(), Optional(-10.0));
}

TEST(WeightReader, RowsGiveTheMostSpecificValueHoweverTheyAreOrdered) {
  for (const char* rows : {"{default: 0.1, unet: 0.4, IN04: 0.7, te: 0.2, \"/norm/\": 0.9}",
                           "{\"/norm/\": 0.9, te: 0.2, IN04: 0.7, unet: 0.4, default: 0.1}"}) {
    const Weights alpha = Alpha(rows);
    EXPECT_FALSE(alpha.everywhere().has_value());
    EXPECT_THAT(alpha.Find(kInput4), Optional(0.9)) << rows;
    EXPECT_THAT(alpha.Find(UnetPlace("input_blocks.4.0.conv.weight")), Optional(0.7)) << rows;
    EXPECT_THAT(alpha.Find(UnetPlace("input_blocks.5.0.conv.weight")), Optional(0.4)) << rows;
  }
}

TEST(WeightReader, RowsWithoutDefaultSayNothingOfOtherTensors) {
  EXPECT_EQ(Alpha("{unet: 0.4}").Find(kTextEncoder), std::nullopt);
}

TEST(WeightReader, AListOfAKnownLengthKeepsItsNumbers) {
  std::string numbers;
  std::vector<double> expected;
  for (int i = 0; i < 26; ++i) {
    numbers += (i == 0 ? "" : ", ") + std::to_string(i) + "e-2";
    expected.push_back(i / 100.0);
  }
  const Weights alpha = Alpha("[" + numbers + "]");
  ASSERT_TRUE(alpha.list().has_value());
  EXPECT_FALSE(alpha.list()->resample);
  EXPECT_THAT(alpha.list()->numbers, ::testing::Pointwise(::testing::DoubleNear(1e-15), expected));
}

TEST(WeightReader, APresetIsItsNumbersWithScaleAndOffset) {
  // FLAT_50 of the community: 0, then 25 times 0.5.
  const Weights plain = Alpha("FLAT_50");
  ASSERT_TRUE(plain.list().has_value());
  EXPECT_EQ(plain.list()->numbers.size(), 26U);
  EXPECT_EQ(plain.list()->numbers.front(), 0);
  EXPECT_EQ(plain.list()->numbers.back(), 0.5);
  const Weights scaled = Alpha("{preset: FLAT_50, scale: 0.5, offset: 0.125}");
  ASSERT_TRUE(scaled.list().has_value());
  EXPECT_EQ(scaled.list()->numbers.front(), 0.125);
  EXPECT_EQ(scaled.list()->numbers.back(), 0.375);
}

TEST(WeightReader, ACurveIsLinearBetweenItsNumbersOverTheDepth) {
  const Weights alpha = Alpha("{default: 0, unet: {curve: [0, 1, 0]}}");
  TensorPlace place = kMiddle;
  for (const auto& [depth, expected] :
       {std::pair{0.0, 0.0}, std::pair{0.25, 0.5}, std::pair{0.5, 1.0}, std::pair{0.75, 0.5}}) {
    place.depth = depth;
    EXPECT_THAT(alpha.Find(place), Optional(DoubleNear(expected, 1e-15))) << depth;
  }
}

TEST(WeightReader, TheSameRowSpelledTwiceIsAnErrorAtTheSecond) {
  EXPECT_THAT(ErrorsOfAlpha("{unet: 0.1, dit: 0.2}"), ElementsAre("6:55"));
}

TEST(WeightReader, ANumberOutOfItsRangeIsAnErrorAtTheNumber) {
  EXPECT_THAT(ErrorsOfAlpha("10.5"), ElementsAre("6:43"));
  EXPECT_THAT(ErrorsOfAlpha("{default: 0.5, te: 10.5}"), ElementsAre("6:62"));
}

TEST(WeightReader, APlaceThatIsNoneIsAnErrorAtTheKeyBesideThoseOfOtherRows) {
  EXPECT_THAT(ErrorsOfAlpha("{default: x1, unett: 0.1}"),
              ::testing::UnorderedElementsAre("6:53", "6:57"));
}

TEST(WeightReader, AListOfNoKnownLengthIsAnErrorAtTheList) {
  EXPECT_THAT(ErrorsOfAlpha("[0.1, 0.2]"), ElementsAre("6:43"));
}

TEST(WeightReader, AScaleThatLeavesTheRangeIsAnErrorAtTheForm) {
  EXPECT_THAT(ErrorsOfAlpha("{preset: FLAT_50, scale: 100}"), ElementsAre("6:43"));
}

}  // namespace
}  // namespace weightsmith::internal
