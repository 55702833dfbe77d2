#include "merge/expression/places.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weightsmith::internal {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Optional;

const TensorPlace kUnet{"model.diffusion_model.input_blocks.4.1.norm.weight", "unet",
                        ComponentKind::kBackbone, 0};
const TensorPlace kTransformer{"model.diffusion_model.double_blocks.3.img_attn.qkv.weight",
                               "transformer", ComponentKind::kBackbone, 0};
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
  EXPECT_THAT(Problem("/(/"), HasSubstr("'(' cannot be used: it is malformed"));
  EXPECT_THAT(Problem("/[z-a]/"), HasSubstr("malformed"));
  EXPECT_THAT(Problem("//"), HasSubstr("empty"));
  EXPECT_THAT(Problem("/" + std::string(1001, 'x') + "/"), HasSubstr("1,001 bytes"));
  EXPECT_THAT(Problem("/((((((a{99}){99}){99}){99}){99}){99})/"), HasSubstr("cannot be used"));
}

TEST(Selector, SearchesALongNameWithoutExhaustingTheStack) {
  const std::string name(10'000'000, 'a');
  EXPECT_TRUE(Parsed("/(a|b)*/").Matches({name, "unet", ComponentKind::kBackbone, 0}));
  EXPECT_FALSE(Parsed("/(a|b)*$c/").Matches({name, "unet", ComponentKind::kBackbone, 0}));
}

/// Which of these names inside a component of that kind a selector speaks of.
std::vector<std::string> Among(std::string_view selector, ComponentKind kind,
                               const std::vector<std::string>& names) {
  std::vector<std::string> matched;
  for (const std::string& name : names) {
    const TensorPlace place{
        .canonical = name, .component = "x", .kind = kind, .block = BlockOf(kind, name)};
    if (Parsed(selector).Matches(place)) matched.push_back(name);
  }
  return matched;
}

TEST(Selector, KnowsBlocksByBothNames) {
  const std::vector<std::string> names = {
      "time_embed.0.weight",          "label_emb.0.0.weight", "input_blocks.0.0.weight",
      "input_blocks.5.1.x",           "input_blocks.11.0.x",  "middle_block.1.norm.weight",
      "output_blocks.3.0.x",          "out.2.weight",         "double_blocks.7.img_mod.lin.bias",
      "single_blocks.37.linear1.bias"};
  const auto unet = [&](std::string_view selector) {
    return Among(selector, ComponentKind::kBackbone, names);
  };
  using Names = std::vector<std::string>;
  for (const char* in : {"unet.in.5", "IN05", "in05", "in.5", "dit.in.5"}) {
    EXPECT_EQ(unet(in), Names{"input_blocks.5.1.x"}) << in;
  }
  for (const char* in : {"unet.in.0-5", "IN00-IN05", "IN00-05", "in.0-5"}) {
    EXPECT_EQ(unet(in), (Names{"input_blocks.0.0.weight", "input_blocks.5.1.x"})) << in;
  }
  for (const char* mid : {"unet.mid", "M00", "mid"}) {
    EXPECT_EQ(unet(mid), Names{"middle_block.1.norm.weight"}) << mid;
  }
  EXPECT_EQ(unet("OUT03"), Names{"output_blocks.3.0.x"});
  EXPECT_EQ(unet("TIME"), Names{"time_embed.0.weight"});
  EXPECT_EQ(unet("LABEL"), Names{"label_emb.0.0.weight"});
  EXPECT_EQ(unet("unet.final"), Names{"out.2.weight"});
  for (const char* block : {"D07", "dit.double.7"}) {
    EXPECT_EQ(unet(block), Names{"double_blocks.7.img_mod.lin.bias"}) << block;
  }
  EXPECT_EQ(unet("S00-S37"), Names{"single_blocks.37.linear1.bias"});
  EXPECT_EQ(unet("te.layer.5"), Names{});
}

TEST(Selector, KnowsLayersOfEncodersAndOfModelsThatNobodyDeclared) {
  using Names = std::vector<std::string>;
  const Names text = {
      "text_model.encoder.layers.3.mlp.fc1.weight", "text_model.final_layer_norm.bias",
      "text_model.embeddings.token_embedding.weight", "transformer.resblocks.3.ln_1.bias",
      "encoder.block.3.layer.0.layer_norm.weight"};
  EXPECT_EQ(Among("te.layer.3", ComponentKind::kText, text), (Names{text[0], text[3], text[4]}));
  EXPECT_EQ(Among("te.embed", ComponentKind::kText, text), Names{text[2]});
  EXPECT_EQ(Among("te.final", ComponentKind::kText, text), Names{text[1]});
  EXPECT_EQ(Among("layer.3", ComponentKind::kText, text), Names{}) << "of the diffusion model";

  const Names other = {"model.layers.12.self_attn.q_proj.weight", "model.embed_tokens.weight",
                       "lm_head.weight", "trunk.4.x"};
  EXPECT_EQ(Among("layer.0-31", ComponentKind::kOther, other), Names{other[0]});
  EXPECT_EQ(Among("layer.0-31:self_attn", ComponentKind::kOther, other), Names{other[0]});
  EXPECT_EQ(Among("layer.0-31:mlp", ComponentKind::kOther, other), Names{});
  EXPECT_EQ(Among("embed", ComponentKind::kOther, other), Names{other[1]});
  EXPECT_EQ(Among("head", ComponentKind::kOther, other), Names{other[2]});
  EXPECT_EQ(Among("trunk.4", ComponentKind::kOther, other), Names{other[3]});

  const Names vae = {"encoder.conv_in.weight", "quant_conv.bias", "decoder.up.0.x"};
  EXPECT_EQ(Among("vae.encoder", ComponentKind::kVae, vae), (Names{vae[0], vae[1]}));
  EXPECT_EQ(Among("vae.decoder", ComponentKind::kVae, vae), Names{vae[2]});
}

TEST(Selector, AnElementIsWholeStepsOfTheName) {
  using Names = std::vector<std::string>;
  const Names names = {"input_blocks.4.1.transformer_blocks.0.attn2.to_out.0.weight",
                       "input_blocks.4.1.transformer_blocks.0.attn21.to_k.weight"};
  const auto unet = [&](std::string_view selector) {
    return Among(selector, ComponentKind::kBackbone, names);
  };
  EXPECT_EQ(unet("IN04-IN08:attn2"), Names{names[0]});
  EXPECT_EQ(unet("unet:attn2.to_out"), Names{names[0]});
  EXPECT_EQ(unet("default:weight"), names);
  EXPECT_EQ(unet("unet:attn"), Names{});
}

TEST(Selector, RefusesWhatIsNoPlace) {
  for (const char* text : {"nowhere", "IN05-IN02", "unet.", "unet.in.", "unet.in.x", "in.3-",
                           "in.99999", "te.nothing", "in.3:", ".3"}) {
    EXPECT_THAT(Problem(text), ::testing::Not(::testing::IsEmpty())) << text;
  }
}

TEST(PlaceMap, TheMoreSpecificRowWinsWhereverItStands) {
  const std::string name = "input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight";
  const TensorPlace place{.canonical = name,
                          .component = "unet",
                          .kind = ComponentKind::kBackbone,
                          .block = BlockOf(ComponentKind::kBackbone, name)};
  const std::vector<std::pair<const char*, double>> rows = {{"/attn2/", 6}, {"IN04:attn2", 5},
                                                            {"IN04", 4},    {"IN00-IN11", 3},
                                                            {"unet", 2},    {"default", 1}};
  for (std::size_t first = 0; first < rows.size(); ++first) {
    std::vector<PlaceRow<double>> some;
    for (std::size_t i = rows.size(); i-- > first;)
      some.push_back({Parsed(rows[i].first), rows[i].second});
    EXPECT_EQ(PlaceMap<double>(some).Find(place), rows[first].second);
    std::ranges::reverse(some);
    EXPECT_EQ(PlaceMap<double>(some).Find(place), rows[first].second);
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
}  // namespace weightsmith::internal
