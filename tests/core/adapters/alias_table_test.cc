#include "core/adapters/alias_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/anatomy/declared.h"

namespace weightsmith {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

/// A model of a declaration, with the aliases of its modules.
struct Base {
  TensorList tensors;
  Anatomy anatomy;
  AliasTable aliases;

  explicit Base(TensorList list, std::string_view type = {})
      : tensors(std::move(list)),
        anatomy(ExamineHeader(tensors, std::nullopt, type)),
        aliases(anatomy, tensors) {}

  /// "input_blocks.0.0.weight", or "qkv.weight[0:8]" for rows; nothing where no module is so
  /// called.
  std::string TargetOf(std::string_view stem) const {
    const AliasedModule* module = aliases.Find(stem);
    if (module == nullptr) return "";
    std::string text;
    for (const AliasPiece& piece : module->weight) {
      if (!text.empty()) text += " + ";
      text += anatomy.tensors[piece.tensor].local;
      if (piece.rows > 0) {
        text += "[" + std::to_string(piece.our_row) + ":" +
                std::to_string(piece.our_row + piece.rows) + "]";
      }
      if (piece.transposed) text += "^T";
    }
    return text;
  }
};

TEST(AliasTable, NoNameMeansTwoModulesInAnyDeclaredModel) {
  for (const Architecture* architecture : Architectures()) {
    for (const ArchitectureRow& row : architecture->rows) {
      if (row.scale != "tiny") continue;
      const Base base(Monolithic(architecture->id, row.variant, "tiny"), architecture->id);
      EXPECT_THAT(base.aliases.ambiguous(), IsEmpty()) << architecture->id << " " << row.variant;
    }
  }
}

TEST(AliasTable, EveryWeightHasANameInEveryNaming) {
  for (const char* id : {"sd1", "sdxl"}) {
    const Base base(Monolithic(id, "base", "tiny"));
    for (std::size_t i = 0; i < base.tensors.size(); ++i) {
      const TensorAnatomy& told = base.anatomy.tensors[i];
      if (told.role != Role::kWeight || !told.local.ends_with(".weight")) continue;
      if (base.anatomy.components[told.component].name != "unet") continue;
      const std::string path = told.local.substr(0, told.local.size() - 7);
      EXPECT_EQ(base.TargetOf("diffusion_model." + path), told.local);
      std::string flat = path;
      std::ranges::replace(flat, '.', '_');
      EXPECT_EQ(base.TargetOf("lora_unet_" + flat), told.local);
    }
  }
}

TEST(AliasTable, StableDiffusion1) {
  const Base base(Monolithic("sd1", "base", "tiny"));
  EXPECT_EQ(base.TargetOf("lora_te_text_model_encoder_layers_0_mlp_fc1"),
            "text_model.encoder.layers.0.mlp.fc1.weight");
  EXPECT_EQ(base.TargetOf("lora_unet_down_blocks_0_attentions_0_proj_in"),
            "input_blocks.1.1.proj_in.weight");
  EXPECT_EQ(base.TargetOf("lora_unet_up_blocks_0_upsamplers_0_conv"),
            "output_blocks.2.1.conv.weight");
  EXPECT_EQ(base.TargetOf("unet.down_blocks.0.resnets.1.conv_shortcut"), "");
  EXPECT_EQ(base.TargetOf("unet.mid_block.attentions.0.transformer_blocks.0.attn2.to_k"),
            "middle_block.1.transformer_blocks.0.attn2.to_k.weight");
  EXPECT_EQ(base.TargetOf("text_encoder.text_model.encoder.layers.3.self_attn.q_proj"),
            "text_model.encoder.layers.3.self_attn.q_proj.weight");
  EXPECT_EQ(base.TargetOf("lora_te1_nowhere"), "");
}

TEST(AliasTable, Sdxl) {
  const Base base(Monolithic("sdxl", "base", "tiny"));
  EXPECT_EQ(base.TargetOf("lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k"),
            "input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight");
  EXPECT_EQ(base.TargetOf("unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q"),
            "input_blocks.4.1.transformer_blocks.0.attn1.to_q.weight");
  const std::string block = "transformer.resblocks.0.attn.in_proj_weight";
  EXPECT_EQ(base.TargetOf("lora_te2_text_model_encoder_layers_0_self_attn_q_proj"),
            block + "[0:40]");
  EXPECT_EQ(base.TargetOf("lora_te2_text_model_encoder_layers_0_self_attn_v_proj"),
            block + "[80:120]");
  EXPECT_EQ(base.TargetOf("lora_te2_transformer_resblocks_0_attn_in_proj"), block);
  EXPECT_EQ(base.TargetOf("lora_te2_text_projection"), "text_projection^T");
  EXPECT_EQ(base.TargetOf("lora_te1_text_model_encoder_layers_0_self_attn_k_proj"),
            "text_model.encoder.layers.0.self_attn.k_proj.weight");
}

TEST(AliasTable, Flux) {
  const Base base(Monolithic("flux1", "dev", "tiny"));
  EXPECT_EQ(base.TargetOf("lora_unet_double_blocks_0_img_attn_qkv"),
            "double_blocks.0.img_attn.qkv.weight");
  EXPECT_EQ(base.TargetOf("transformer.transformer_blocks.0.attn.to_k"),
            "double_blocks.0.img_attn.qkv.weight[32:64]");
  EXPECT_EQ(base.TargetOf("transformer.single_transformer_blocks.1.proj_mlp"),
            "single_blocks.1.linear1.weight[96:224]");
  EXPECT_EQ(base.TargetOf("lora_transformer_transformer_blocks_10_attn_to_out_0"),
            "double_blocks.10.img_attn.proj.weight");
  // The halves are swapped: their first rows are our last.
  EXPECT_EQ(base.TargetOf("transformer.norm_out.linear"),
            "final_layer.adaLN_modulation.1.weight[0:32] + "
            "final_layer.adaLN_modulation.1.weight[32:64]");
  EXPECT_EQ(base.TargetOf("lora_te3_encoder_block_0_layer_0_SelfAttention_q"),
            base.TargetOf("lora_te2_encoder_block_0_layer_0_SelfAttention_q"));
  EXPECT_NE(base.TargetOf("lora_te3_encoder_block_0_layer_0_SelfAttention_q"), "");
  EXPECT_EQ(base.TargetOf("lora_unet_context_embedder_"), "txt_in.weight");
  EXPECT_EQ(base.TargetOf("lycoris_transformer_blocks_0_attn_to_q"),
            "double_blocks.0.img_attn.qkv.weight[0:32]");
}

TEST(AliasTable, StableDiffusion3HasHalvesSwappedInItsLastContextBlock) {
  const Base base(Monolithic("sd3", "base", "tiny"));
  EXPECT_EQ(base.TargetOf("transformer.transformer_blocks.0.norm1_context.linear"),
            "joint_blocks.0.context_block.adaLN_modulation.1.weight");
  const AliasedModule* last =
      base.aliases.Find("transformer.transformer_blocks.23.norm1_context.linear");
  ASSERT_NE(last, nullptr);
  ASSERT_THAT(last->weight, SizeIs(2));
  EXPECT_EQ(last->weight[0].our_row, 0u);
  EXPECT_GT(last->weight[0].their_row, 0u);
  ASSERT_THAT(last->bias, SizeIs(2));
}

TEST(AliasTable, LanguageModels) {
  const Base base(Monolithic("llama", "base", "tiny"), "llama");
  const std::string query = "model.layers.0.self_attn.q_proj.weight";
  EXPECT_EQ(base.TargetOf("base_model.model.model.layers.0.self_attn.q_proj"), query);
  EXPECT_EQ(base.TargetOf("base_model.model.layers.0.self_attn.q_proj"), query);
  EXPECT_EQ(base.TargetOf("base_model.model.lm_head"), "lm_head.weight");
}

TEST(AliasTable, ATransformerThatNobodyDeclared) {
  const Base base(TensorList{{.name = "trunk.0.attn.q.bias", .info = {DType::kF16, {4}}},
                             {.name = "trunk.0.attn.q.weight", .info = {DType::kF16, {4, 4}}}});
  EXPECT_EQ(base.TargetOf("diffusion_model.trunk.0.attn.q"), "trunk.0.attn.q.weight");
  EXPECT_EQ(base.TargetOf("lora_unet_trunk_0_attn_q"), "trunk.0.attn.q.weight");
  ASSERT_NE(base.aliases.Find("trunk.0.attn.q"), nullptr);
  EXPECT_THAT(base.aliases.Find("trunk.0.attn.q")->bias, SizeIs(1));
}

}  // namespace
}  // namespace weightsmith
