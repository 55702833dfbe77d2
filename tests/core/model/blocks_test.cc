#include "core/model/blocks.h"

#include <gtest/gtest.h>

namespace weightsmith::internal {
namespace {

TEST(Blocks, ANameGetsAnotherNumber) {
  EXPECT_EQ(WithBlock("model.layers.3.mlp.experts.5.w", 12), "model.layers.12.mlp.experts.5.w");
  EXPECT_EQ(WithBlock("h.0.attn.weight", 7), "h.7.attn.weight");
  EXPECT_EQ(WithBlock("model.norm.weight", 7), "model.norm.weight");
}

TEST(Blocks, OfALanguageModelStandBeforeBetweenAndBehind) {
  const auto block = [](std::string_view name) { return BlockOf(ComponentKind::kBackbone, name); };
  EXPECT_EQ(block("model.embed_tokens.weight"), (Block{"embed", std::nullopt}));
  EXPECT_EQ(block("model.layers.3.mlp.up_proj.weight"), (Block{"layer", 3}));
  EXPECT_EQ(block("transformer.h.3.ln_1.weight"), (Block{"layer", 3}));
  EXPECT_EQ(block("transformer.ln_f.weight"), (Block{"final", std::nullopt}));
  EXPECT_EQ(block("model.norm.weight"), (Block{"final", std::nullopt}));
  EXPECT_EQ(block("lm_head.weight"), (Block{"head", std::nullopt}));
}

}  // namespace
}  // namespace weightsmith::internal
