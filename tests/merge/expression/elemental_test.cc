#include "merge/expression/elemental.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "merge/expression/places.h"

namespace weightsmith::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TensorPlace Place(std::string_view name, std::string_view family, std::uint32_t index) {
  TensorPlace place{.canonical = name, .component = "unet", .kind = ComponentKind::kBackbone};
  place.block.family = family;
  place.block.index = index;
  return place;
}

double At(std::string_view text, const TensorPlace& place) {
  std::string problem;
  const auto read = ElementalText::Parse(text, 0.125, problem);
  EXPECT_TRUE(read) << problem;
  return read ? read->At(place) : -1;
}

std::string ProblemOf(std::string_view text) {
  std::string problem;
  EXPECT_FALSE(ElementalText::Parse(text, 0, problem)) << text;
  return problem;
}

TEST(ElementalText, MatchesBlocksAndElements) {
  const TensorPlace place = Place("model.diffusion_model.input_blocks.4.attn2.weight", "in", 4);
  EXPECT_EQ(At("IN04:attn2:0.5", place), 0.5);
  EXPECT_EQ(At("in03-IN05::0.5", place), 0.5);
  EXPECT_EQ(At("IN05:attn2:0.5", place), 0.125);
  EXPECT_EQ(At("IN04:attn1:0.5", place), 0.125);
  EXPECT_EQ(At("IN05 IN04:proj attn2:0.5", place), 0.5);
  EXPECT_EQ(At(":attn2:0.5", place), 0.5);
  EXPECT_EQ(At("::0.5", place), 0.5);
}

TEST(ElementalText, NotTurnsAListAround) {
  const TensorPlace place = Place("model.diffusion_model.input_blocks.4.attn2.weight", "in", 4);
  EXPECT_EQ(At("NOT IN04:attn2:0.5", place), 0.125);
  EXPECT_EQ(At("NOT OUT04:attn2:0.5", place), 0.5);
  EXPECT_EQ(At("IN04:NOT attn1 proj:0.5", place), 0.5);
  EXPECT_EQ(At("IN04:NOT attn1 attn2:0.5", place), 0.125);
}

TEST(ElementalText, TheLastEntryThatMatchesCounts) {
  const TensorPlace place = Place("model.diffusion_model.input_blocks.4.attn2.weight", "in", 4);
  EXPECT_EQ(At("IN04:attn2:0.5\nIN00-OUT11:attn:0.75, OUT03::1", place), 0.75);
}

TEST(ElementalText, HasItsNumbers) {
  std::string problem;
  EXPECT_THAT(ElementalText::Parse("IN04::0.5, OUT03::1", 0.25, problem)->Numbers(),
              ElementsAre(0.25, 0.5, 1));
}

TEST(ElementalText, SaysWhatIsWrong) {
  EXPECT_THAT(ProblemOf(""), HasSubstr("no entry"));
  EXPECT_THAT(ProblemOf("IN04:0.5"), HasSubstr("2 parts"));
  EXPECT_THAT(ProblemOf("XX04:attn:0.5"), HasSubstr("'XX04' is no block"));
  EXPECT_THAT(ProblemOf("IN08-IN04:attn:0.5"), HasSubstr("no block or range"));
  EXPECT_THAT(ProblemOf("NOT:attn:0.5"), HasSubstr("nothing stands behind NOT"));
  EXPECT_THAT(ProblemOf("IN04:attn:R"), HasSubstr("draw it once"));
  EXPECT_THAT(ProblemOf("IN04:attn:high"), HasSubstr("'high' is no number"));
}

}  // namespace
}  // namespace weightsmith::internal
