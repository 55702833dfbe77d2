#include "merge/places.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weightsmith {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Optional;

const TensorPlace kUnet{"model.diffusion_model.input_blocks.4.1.norm.weight", "unet",
                        ComponentKind::kDiffusion, 0};
const TensorPlace kTransformer{"model.diffusion_model.double_blocks.3.img_attn.qkv.weight",
                               "transformer", ComponentKind::kDiffusion, 0};
const TensorPlace kClipL{"conditioner.embedders.0.transformer.text_model.final_layer_norm.bias",
                         "clip_l", ComponentKind::kText, 1};
const TensorPlace kClipG{"conditioner.embedders.1.model.ln_final.bias", "clip_g",
                         ComponentKind::kText, 2};
const TensorPlace kVae{"first_stage_model.decoder.conv_in.weight", "vae", ComponentKind::kVae, 0};
const TensorPlace kEma{"model_ema.diffusion_modelinput_blocks00weight", "ema",
                       ComponentKind::kOther, 0};

Selector Parsed(std::string_view text) {
  std::string problem;
  const auto selector = Selector::Parse(text, problem);
  EXPECT_TRUE(selector.has_value()) << text << ": " << problem;
  return selector.value_or(Selector());
}

std::string Problem(std::string_view text) {
  std::string problem;
  EXPECT_FALSE(Selector::Parse(text, problem).has_value()) << text;
  return problem;
}

/// Which of the six places above a selector speaks of, as letters.
std::string Matched(std::string_view text) {
  const Selector selector = Parsed(text);
  std::string matched;
  for (const auto& [letter, place] :
       {std::pair{'u', kUnet}, std::pair{'t', kTransformer}, std::pair{'l', kClipL},
        std::pair{'g', kClipG}, std::pair{'v', kVae}, std::pair{'e', kEma}}) {
    if (selector.Matches(place)) matched += letter;
  }
  return matched;
}

PlaceMap<double> Map(std::initializer_list<std::pair<const char*, double>> rows) {
  std::vector<PlaceRow<double>> parsed;
  for (const auto& [text, value] : rows) parsed.push_back({Parsed(text), value});
  return PlaceMap<double>(std::move(parsed));
}

TEST(Selector, KnowsComponentsByEveryName) {
  EXPECT_EQ(Matched("default"), "utlgve");
  for (const char* name : {"unet", "transformer", "dit", "UNet", "DiT"}) {
    EXPECT_EQ(Matched(name), "ut") << name;
  }
  for (const char* name : {"te", "TE", "BASE", "base"}) EXPECT_EQ(Matched(name), "lg") << name;
  EXPECT_EQ(Matched("te1"), "l");
  EXPECT_EQ(Matched("te2"), "g");
  EXPECT_EQ(Matched("te3"), "");
  EXPECT_EQ(Matched("clip_l"), "l");
  EXPECT_EQ(Matched("clip_g"), "g");
  EXPECT_EQ(Matched("clip_h"), "");
  EXPECT_EQ(Matched("t5xxl"), "");
  EXPECT_EQ(Matched("vae"), "v");
  EXPECT_EQ(Matched("VAE"), "v");
  EXPECT_EQ(Matched("ema"), "e");
  EXPECT_EQ(Matched("other"), "");
}

TEST(Selector, SearchesARegexInTheCanonicalName) {
  EXPECT_EQ(Matched("/norm/"), "ul");
  EXPECT_EQ(Matched("/^first_stage/"), "v");
  EXPECT_EQ(Matched(R"(/\.bias$/)"), "lg");
  EXPECT_EQ(Matched(R"(/blocks\.(3|4)\./)"), "ut");
  EXPECT_EQ(Matched("/NORM/"), "");
}

TEST(Selector, ExplainsARegexThatIsMalformed) {
  EXPECT_THAT(Problem("/(/"), HasSubstr("'(' is malformed"));
  EXPECT_THAT(Problem("/[z-a]/"), HasSubstr("malformed"));
  EXPECT_THAT(Problem("//"), HasSubstr("empty"));
  EXPECT_THAT(Problem("/" + std::string(1001, 'x') + "/"), HasSubstr("1,001 bytes"));
  EXPECT_THAT(Problem("/((((((a{99}){99}){99}){99}){99}){99})/"), HasSubstr("malformed"));
}

TEST(Selector, SearchesALongNameWithoutExhaustingTheStack) {
  const std::string name(10'000'000, 'a');
  EXPECT_TRUE(Parsed("/(a|b)*/").Matches({name, "unet", ComponentKind::kDiffusion, 0}));
  EXPECT_FALSE(Parsed("/(a|b)*$c/").Matches({name, "unet", ComponentKind::kDiffusion, 0}));
}

TEST(Selector, SaysThatBlockNamesAreNotUnderstood) {
  for (const char* block : {"IN00",
                            "in04",
                            "M00",
                            "OUT03",
                            "IN00-IN05",
                            "IN00-05",
                            "D00",
                            "S37",
                            "TIME",
                            "LABEL",
                            "embed",
                            "head",
                            "unet.in.3",
                            "unet.in.0-8",
                            "unet.mid",
                            "unet.time",
                            "dit.double.0-18",
                            "dit.single.5",
                            "dit.joint.0-23",
                            "layer.0-31",
                            "te.layer.0-11",
                            "vae.encoder",
                            "IN04-IN08:attn2",
                            "layer.0-31:self_attn",
                            "unet:norm"}) {
    EXPECT_THAT(Problem(block),
                AllOf(HasSubstr(block), HasSubstr("not understood by this version")))
        << block;
  }
}

TEST(Selector, SuggestsThePlaceThatWasMeant) {
  EXPECT_THAT(Problem("unte"), AllOf(HasSubstr("unknown place 'unte'"), HasSubstr("'unet'")));
  EXPECT_THAT(Problem("defualt"), HasSubstr("'default'"));
  EXPECT_THAT(Problem("clip_1"), HasSubstr("'clip_"));
  EXPECT_THAT(Problem(""), HasSubstr("unknown place"));
  EXPECT_THAT(Problem("/norm"), HasSubstr("unknown place"));
}

TEST(Selector, NamesTheVaeOnlyWhenItSaysSo) {
  EXPECT_TRUE(Parsed("vae").NamesVae());
  EXPECT_TRUE(Parsed("VAE").NamesVae());
  EXPECT_TRUE(Parsed(R"(/^first_stage_model\.decoder/)").NamesVae());
  EXPECT_FALSE(Parsed("/norm/").NamesVae());
  EXPECT_FALSE(Parsed("/.*/").NamesVae());
  EXPECT_FALSE(Parsed("BASE").NamesVae());
  EXPECT_FALSE(Parsed("default").NamesVae());
}

TEST(PlaceMap, GivesOneValueEverywhere) {
  const PlaceMap<double> map(0.3);
  EXPECT_FALSE(map.empty());
  EXPECT_THAT(map.everywhere(), Optional(0.3));
  EXPECT_THAT(map.Find(kVae), Optional(0.3));
  EXPECT_FALSE(map.NamesVae());
  EXPECT_TRUE(PlaceMap<double>().empty());
  EXPECT_EQ(PlaceMap<double>().Find(kVae), std::nullopt);
}

TEST(PlaceMap, LetsTheMoreSpecificRowWinWhereverItStands) {
  for (const auto& map : {Map({{"default", 1}, {"unet", 2}, {"/norm/", 3}}),
                          Map({{"/norm/", 3}, {"unet", 2}, {"default", 1}}),
                          Map({{"unet", 2}, {"/norm/", 3}, {"default", 1}})}) {
    std::optional<PlaceConflict> conflict;
    EXPECT_THAT(map.Find(kUnet, &conflict), Optional(3.0));
    EXPECT_THAT(map.Find(kTransformer, &conflict), Optional(2.0));
    EXPECT_THAT(map.Find(kVae, &conflict), Optional(1.0));
    EXPECT_FALSE(conflict.has_value());
  }
}

TEST(PlaceMap, HasNoValueWhereNoRowMatches) {
  EXPECT_EQ(Map({{"te", 0.5}}).Find(kUnet), std::nullopt);
  EXPECT_THAT(Map({{"te", 0.5}}).Find(kClipG), Optional(0.5));
}

TEST(PlaceMap, TellsWhichTwoRowsOfOneRankDisagree) {
  std::optional<PlaceConflict> conflict;
  Map({{"te", 0.1}, {"clip_l", 0.2}}).Find(kClipL, &conflict);
  ASSERT_TRUE(conflict.has_value());
  EXPECT_EQ(conflict->first, "te");
  EXPECT_EQ(conflict->second, "clip_l");
}

TEST(PlaceMap, SeesNoConflictInEqualValuesOrBelowTheWinner) {
  std::optional<PlaceConflict> conflict;
  EXPECT_THAT(Map({{"te", 0.1}, {"te1", 0.1}}).Find(kClipL, &conflict), Optional(0.1));
  EXPECT_FALSE(conflict.has_value());
  EXPECT_THAT(Map({{"te", 0.1}, {"clip_l", 0.2}, {"/norm/", 0.3}}).Find(kClipL, &conflict),
              Optional(0.3));
  EXPECT_FALSE(conflict.has_value());
}

TEST(PlaceMap, NamesTheVaeWhenARowDoes) {
  EXPECT_TRUE(Map({{"default", 0.3}, {"vae", 0}}).NamesVae());
  EXPECT_FALSE(Map({{"default", 0.3}, {"te", 0}}).NamesVae());
}

}  // namespace
}  // namespace weightsmith
