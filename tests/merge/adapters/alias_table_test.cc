#include "merge/adapters/alias_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "core/model/naming.h"
#include "tests/core/anatomy/declared.h"

namespace weightsmith::internal {
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
      if (!piece.rows.all()) {
        text +=
            "[" + std::to_string(piece.rows.ours) + ":" + std::to_string(piece.rows.end()) + "]";
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

/// Names of a module of the diffusion model, by its path, as each trainer and reader writes them.
std::vector<std::string> NamesOf(const std::string& path) {
  const std::string flat = FlatName(path);
  std::vector<std::string> names = {path,
                                    "unet." + path,
                                    "transformer." + path,
                                    "diffusion_model." + path,
                                    "model.diffusion_model." + path,
                                    "base_model.model." + path,
                                    "unet.base_model.model." + path,
                                    "transformer.base_model.model." + path,
                                    "lora_unet." + path};
  for (const char* prefix : {"lora_unet_", "lycoris_", "lora_transformer_", "oft_unet_"}) {
    names.push_back(prefix + flat);
  }
  return names;
}

/// And of a text encoder's, by its number.
std::vector<std::string> NamesOf(const std::string& path, std::uint32_t number,
                                 const std::string& component) {
  const std::string folder =
      number == 1 ? "text_encoder." : "text_encoder_" + std::to_string(number) + ".";
  const std::string kohya = "lora_te" + std::to_string(number);
  return {folder + path,
          folder + "base_model.model." + path,
          kohya + "_" + FlatName(path),
          kohya + "." + path,
          "text_encoders." + component + ".transformer." + path,
          component + "." + path};
}

/// The module of a matrix or a convolution: "attn.to_q" of "attn.to_q.weight".
std::optional<std::string> ModuleOf(std::string_view tensor, const Shape& shape) {
  for (const std::string_view end : {".weight", "_weight"}) {
    if (shape.size() > 1 && tensor.ends_with(end)) {
      return std::string(tensor.substr(0, tensor.size() - end.size()));
    }
  }
  return std::nullopt;
}

TEST(AliasTable, EveryMatrixOfEveryArchitectureHasANameInEveryNaming) {
  for (const Architecture* architecture : Architectures()) {
    for (const ArchitectureRow& row : architecture->rows) {
      if (row.scale != "tiny" || row.variant != architecture->rows.front().variant) continue;
      const Base base(Monolithic(architecture->id, row.variant, "tiny"), architecture->id);
      const std::vector<ComponentRule> rules = row.components();
      // The refiner has the second encoder of the base model alone.
      std::uint32_t number = architecture->id == "sdxl-refiner" ? 1 : 0;
      for (const ComponentRule& rule : rules) {
        if (rule.kind == ComponentKind::kVae) continue;
        number += rule.kind == ComponentKind::kText ? 1 : 0;
        const Naming* const naming = NamingOf(rule);
        for (const TensorRule& tensor : rule.tensors) {
          if (tensor.role != Role::kWeight || tensor.optional) continue;
          std::vector<std::pair<std::string, Shape>> names = {{tensor.name, tensor.shape}};
          if (naming != nullptr) {
            for (const Placement& there : PlaceIn(*naming, tensor, rule)) {
              names.emplace_back(there.name, there.shape.empty() ? tensor.shape : there.shape);
            }
          }
          for (const auto& [name, shape] : names) {
            const auto module = ModuleOf(name, shape);
            if (!module) continue;
            const std::vector<std::string> aliases = rule.kind == ComponentKind::kText
                                                         ? NamesOf(*module, number, rule.name)
                                                         : NamesOf(*module);
            for (const std::string& alias : aliases) {
              EXPECT_NE(base.aliases.Find(alias), nullptr)
                  << architecture->id << ' ' << row.variant << ": " << alias;
            }
          }
        }
      }
    }
  }
}

TEST(AliasTable, UnclipsNameOfAnEmbeddingIsSdxlsToo) {
  for (const char* id : {"sdxl", "sdxl-refiner"}) {
    const Base base(Monolithic(id, "base", "tiny"));
    for (const std::string stem : {"unet.class_embedding.linear_1", "class_embedding.linear_1",
                                   "lora_unet_class_embedding_linear_1",
                                   "unet.add_embedding.linear_1", "lora_unet_label_emb_0_0"}) {
      EXPECT_EQ(base.TargetOf(stem), "label_emb.0.0.weight") << id << ' ' << stem;
    }
    EXPECT_EQ(base.TargetOf("lora_unet_class_embedding_linear_2"), "label_emb.0.2.weight");
  }
}

TEST(AliasTable, TheRefinersOnlyTextEncoderIsTheFirstAndTheSecond) {
  const Base base(Monolithic("sdxl-refiner", "base", "tiny"));
  const std::string target = base.TargetOf("text_encoder_2.text_model.encoder.layers.0.mlp.fc1");
  EXPECT_NE(target, "");
  for (const char* stem : {"text_encoder.text_model.encoder.layers.0.mlp.fc1",
                           "lora_te_text_model_encoder_layers_0_mlp_fc1",
                           "lora_te2_text_model_encoder_layers_0_mlp_fc1"}) {
    EXPECT_EQ(base.TargetOf(stem), target) << stem;
  }
}

TEST(AliasTable, OddNamesAreTidiedHoweverLongTheyAre) {
  const Base base(Monolithic("flux1", "dev", "tiny"));
  std::string wrapped = "context_embedder";
  std::string spaced = "lora_unet_context";
  for (int i = 0; i < 20'000; ++i) {
    wrapped.insert(0, "module.");
    spaced += '_';
  }
  EXPECT_EQ(base.TargetOf(wrapped), "txt_in.weight");
  EXPECT_EQ(base.TargetOf(spaced + "embedder___"), "txt_in.weight");
  EXPECT_EQ(base.TargetOf("transformer._orig_mod._orig_mod.context_embedder"), "txt_in.weight");
  EXPECT_EQ(base.TargetOf(std::string(60'000, '_')), "");
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

TEST(AliasTable, NamesOfProcessorsMeanTheStreamsAndTheFirstPartsOfAFusedMatrix) {
  for (const char* id : {"flux1", "chroma"}) {
    SCOPED_TRACE(id);
    const std::string variant = id == std::string_view("flux1") ? "dev" : "base";
    const Base base(Monolithic(id, variant, "tiny"));
    for (const std::string before : {"", "diffusion_model."}) {
      const std::string first = before + "double_blocks.3.processor.";
      EXPECT_EQ(base.TargetOf(first + "qkv_lora1"), "double_blocks.3.img_attn.qkv.weight");
      EXPECT_EQ(base.TargetOf(first + "proj_lora1"), "double_blocks.3.img_attn.proj.weight");
      EXPECT_EQ(base.TargetOf(first + "qkv_lora2"), "double_blocks.3.txt_attn.qkv.weight");
      EXPECT_EQ(base.TargetOf(first + "proj_lora2"), "double_blocks.3.txt_attn.proj.weight");
      const std::string second = before + "single_blocks.10.";
      EXPECT_EQ(base.TargetOf(second + "processor.proj"), "single_blocks.10.linear2.weight");
      for (const char* name : {"processor.qkv", "linear1_qkv"}) {
        EXPECT_EQ(base.TargetOf(second + name), "single_blocks.10.linear1.weight[0:96]");
      }
    }
  }
}

TEST(AliasTable, ProjectionsOfAttentionStandInProcessorsToo) {
  const Base base(Monolithic("sd1", "base", "tiny"));
  const std::string attention = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.";
  const std::string ours = "input_blocks.1.1.transformer_blocks.0.attn1.";
  EXPECT_EQ(base.TargetOf("unet." + attention + "processor.to_q"), ours + "to_q.weight");
  for (const char* name : {"to_out.0", "to_out", "processor.to_out"}) {
    EXPECT_EQ(base.TargetOf(attention + name), ours + "to_out.0.weight") << name;
  }
}

TEST(AliasTable, StableDiffusion3HasHalvesSwappedInItsLastContextBlock) {
  const Base base(Monolithic("sd3", "base", "tiny"));
  EXPECT_EQ(base.TargetOf("transformer.transformer_blocks.0.norm1_context.linear"),
            "joint_blocks.0.context_block.adaLN_modulation.1.weight");
  const AliasedModule* last =
      base.aliases.Find("transformer.transformer_blocks.23.norm1_context.linear");
  ASSERT_NE(last, nullptr);
  ASSERT_THAT(last->weight, SizeIs(2));
  EXPECT_EQ(last->weight[0].rows.ours, 0u);
  EXPECT_GT(last->weight[0].rows.theirs, 0u);
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

TEST(AliasTable, AModuleWithANameOfOneLetter) {
  const Base base(TensorList{{.name = "x.weight", .info = {DType::kF32, {4, 4}}}});
  EXPECT_EQ(base.TargetOf("lora_unet_x"), "x.weight");
  EXPECT_EQ(base.TargetOf("diffusion_model.x"), "x.weight");
}

}  // namespace
}  // namespace weightsmith::internal
