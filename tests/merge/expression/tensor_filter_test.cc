#include "merge/expression/tensor_filter.h"

#include <gtest/gtest.h>

namespace weightsmith::internal {
namespace {

const TensorPlace kQuery{"model.diffusion_model.input_blocks.4.1.attn2.to_q.weight",
                         "unet",
                         ComponentKind::kBackbone,
                         0,
                         {"in", 4}};
const TensorPlace kVaePlace{"first_stage_model.decoder.conv_in.weight",
                            "vae",
                            ComponentKind::kVae,
                            0,
                            {"decoder", std::nullopt}};

Selector Place(std::string_view text) {
  std::string problem;
  const auto selector = Selector::Parse(text, problem);
  EXPECT_TRUE(selector.has_value()) << text << ": " << problem;
  return selector.value_or(Selector());
}

TEST(TensorFilter, OfNothingMatchesAll) {
  EXPECT_TRUE(TensorFilter().Matches(kQuery, {4, 4}));
  EXPECT_TRUE(TensorFilter().Matches(kVaePlace, {}));
}

TEST(TensorFilter, AsksForAllThatIsGiven) {
  TensorFilter filter;
  filter.components = {Place("unet")};
  filter.blocks = {Place("IN04-IN08")};
  filter.names = {Place("/attn2/")};
  filter.ranks = {2};
  EXPECT_TRUE(filter.Matches(kQuery, {4, 4}));
  EXPECT_FALSE(filter.Matches(kQuery, {4}));
  EXPECT_FALSE(filter.Matches(kVaePlace, {4, 4}));
  filter.blocks = {Place("IN05")};
  EXPECT_FALSE(filter.Matches(kQuery, {4, 4}));
}

TEST(TensorFilter, OfAListAsksForOne) {
  TensorFilter filter;
  filter.components = {Place("te"), Place("unet")};
  filter.ranks = {1, 4};
  EXPECT_TRUE(filter.Matches(kQuery, {4}));
  EXPECT_TRUE(filter.Matches(kQuery, {4, 1, 1, 1}));
  EXPECT_FALSE(filter.Matches(kQuery, {4, 4}));
  filter.components = {Place("te"), Place("vae")};
  EXPECT_FALSE(filter.Matches(kQuery, {4}));
}

TEST(TensorFilter, SizesAreElementsAndNotReached) {
  TensorFilter filter;
  filter.larger_than = 16;
  filter.smaller_than = 20;
  EXPECT_FALSE(filter.Matches(kQuery, {4, 4}));
  EXPECT_TRUE(filter.Matches(kQuery, {17}));
  EXPECT_TRUE(filter.Matches(kQuery, {19}));
  EXPECT_FALSE(filter.Matches(kQuery, {4, 5}));
}

TEST(TensorFilter, SeveralMatchWhereOneDoes) {
  TensorFilter unet;
  unet.components = {Place("unet")};
  TensorFilter vae;
  vae.components = {Place("vae")};
  EXPECT_TRUE(AnyMatches({unet, vae}, kQuery, {1}));
  EXPECT_TRUE(AnyMatches({unet, vae}, kVaePlace, {1}));
  EXPECT_FALSE(AnyMatches({unet}, kVaePlace, {1}));
  EXPECT_FALSE(AnyMatches({}, kVaePlace, {1}));
}

TEST(TensorFilter, NamesTheVaeWhereItSaysSo) {
  TensorFilter filter;
  filter.ranks = {2};
  EXPECT_FALSE(filter.NamesVae());
  filter.blocks = {Place("vae.decoder")};
  EXPECT_TRUE(filter.NamesVae());
  EXPECT_TRUE(AnyNamesVae({TensorFilter(), filter}));
  EXPECT_FALSE(AnyNamesVae({TensorFilter()}));
}

}  // namespace
}  // namespace weightsmith::internal
