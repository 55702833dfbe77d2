#include "merge/expression/elemental.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "merge/expression/places.h"

namespace weightsmith::internal {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

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

TEST(ElementalText, SaysWhichEntriesAreAtNoTensor) {
  const std::array places{Place("model.diffusion_model.input_blocks.4.attn2.weight", "in", 4),
                          Place("model.diffusion_model.input_blocks.5.proj_in.weight", "in", 5)};
  const auto idle = [&](std::string_view text) {
    std::string problem;
    return ElementalText::Parse(text, 0, problem)->Idle(places);
  };
  EXPECT_THAT(idle("IN04:attn2:0.5, IN05::1, :NOT attn2:0.25, ::0"), IsEmpty());
  EXPECT_THAT(idle("IN04:atn2:0.5"),
              ElementsAre(AllOf(HasSubstr("'IN04:atn2:0.5'"), HasSubstr("has 'atn2' in its name"),
                                HasSubstr("Did you mean 'attn2'?"))));
  EXPECT_THAT(idle("IN04:attn2 zzz:0.5"), ElementsAre(HasSubstr("has 'zzz' in its name")));
  EXPECT_THAT(idle("IN05:attn2:0.5"), ElementsAre(HasSubstr("has 'attn2' in its name")));
  EXPECT_THAT(idle("IN08:attn2:0.5"), ElementsAre(HasSubstr("in a block of the entry")));
  EXPECT_THAT(idle("IN04:NOT attn2:0.5"), ElementsAre(HasSubstr("no tensor is at the entry")));
}

TEST(ElementalText, SaysWhatIsWrong) {
  EXPECT_THAT(ProblemOf(""), HasSubstr("no entry"));
  EXPECT_THAT(ProblemOf("IN04:0.5"), HasSubstr("2 parts"));
  EXPECT_THAT(ProblemOf("XX04:attn:0.5"), HasSubstr("'XX04' is no block"));
  EXPECT_THAT(ProblemOf("IN08-IN04:attn:0.5"), HasSubstr("no block or range"));
  EXPECT_THAT(ProblemOf("NOT:attn:0.5"), HasSubstr("nothing stands behind NOT"));
  for (const char* number : {"R", "U", "x", "r(0", "R (0.2)"}) {
    EXPECT_THAT(ProblemOf(std::string("IN04:attn:") + number),
                AllOf(HasSubstr("draw it once"), HasSubstr("such as IN04:attn:0.4")));
  }
  EXPECT_THAT(ProblemOf("IN04:attn:ratio"), HasSubstr("'ratio' is no number"));
  EXPECT_THAT(ProblemOf("IN04:attn:high"), HasSubstr("'high' is no number"));
}

}  // namespace
}  // namespace weightsmith::internal
