#include "core/model/anatomy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/anatomy/declared.h"

namespace weightsmith::internal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kPositionIds =
    "cond_stage_model.transformer.text_model.embeddings.position_ids";
constexpr std::string_view kConvIn = "model.diffusion_model.input_blocks.0.0.weight";

Anatomy Examined(const TensorList& tensors, const std::optional<Metadata>& metadata = {},
                 std::string_view model_type = {}) {
  return ExamineHeader(tensors, metadata, model_type);
}

std::vector<std::string> ComponentNames(const Anatomy& anatomy) {
  std::vector<std::string> names;
  for (const ComponentAnatomy& component : anatomy.components) names.push_back(component.name);
  return names;
}

TEST(Anatomy, EveryDeclaredRowIsItself) {
  for (const Architecture* architecture : Architectures()) {
    for (const ArchitectureRow& row : architecture->rows) {
      SCOPED_TRACE(std::string(row.synth) + " " + std::string(row.scale));
      for (const bool bare : {false, true}) {
        const TensorList tensors = bare ? Bare(architecture->id, row.variant, row.scale)
                                        : Monolithic(architecture->id, row.variant, row.scale);
        const Anatomy anatomy = Examined(tensors, {}, architecture->id);
        EXPECT_EQ(anatomy.id, architecture->id);
        EXPECT_EQ(anatomy.variant, row.variant);
        EXPECT_EQ(anatomy.scale, row.scale);
        EXPECT_EQ(anatomy.layout, bare ? architecture->bare_layout : architecture->layout);
        EXPECT_EQ(anatomy.prediction, architecture->prediction);
        EXPECT_THAT(anatomy.damage, IsEmpty());
        for (const ComponentAnatomy& component : anatomy.components) {
          EXPECT_TRUE(component.complete) << component.name;
          EXPECT_THAT(component.missing, IsEmpty());
          EXPECT_THAT(component.extra, IsEmpty());
        }
      }
    }
  }
}

TEST(Anatomy, EveryDeclaredPartIsItself) {
  for (const Part* part : Parts()) {
    for (std::size_t i = 0; i < part->rows.size(); ++i) {
      const TensorList tensors = PartAlone(part->id, i);
      const Anatomy anatomy = Examined(tensors);
      EXPECT_EQ(anatomy.architecture, nullptr);
      EXPECT_EQ(anatomy.id, part->id);
      EXPECT_EQ(anatomy.scale, part->rows[i].scale);
      EXPECT_EQ(anatomy.layout, part->rows[i].layout);
      ASSERT_EQ(anatomy.components.size(), 1u);
      EXPECT_EQ(anatomy.components[0].name, part->id);
      EXPECT_TRUE(anatomy.components[0].complete);
      EXPECT_EQ(anatomy.tensors[0].local, tensors[0].name);
      EXPECT_EQ(anatomy.tensors[0].canonical, tensors[0].name);
    }
  }
}

TEST(Anatomy, CountsTheComponentsOfStableDiffusion15) {
  const Anatomy anatomy = Examined(Monolithic("sd1", "base", "full"));
  EXPECT_THAT(ComponentNames(anatomy), ElementsAre("unet", "clip_l", "vae"));
  EXPECT_EQ(anatomy.components[0].tensors, 686u);
  EXPECT_EQ(anatomy.components[0].parameters, 859'520'964u);
  EXPECT_EQ(anatomy.components[0].bytes, 1'719'041'928u);
  EXPECT_EQ(anatomy.components[1].tensors, 197u);
  EXPECT_EQ(anatomy.components[1].parameters, 123'060'480u);
  EXPECT_EQ(anatomy.components[2].tensors, 248u);
  EXPECT_EQ(anatomy.components[2].parameters, 83'653'863u);
  EXPECT_EQ(anatomy.Modelspec(), "stable-diffusion-v1");
}

TEST(Anatomy, TellsCanonicalAndLocalNamesAndRoles) {
  const TensorList tensors = Monolithic("sd1");
  const Anatomy anatomy = Examined(tensors);
  const TensorAnatomy& weight = ToldOf(anatomy, tensors, kConvIn);
  EXPECT_EQ(weight.canonical, kConvIn);
  EXPECT_EQ(weight.local, "input_blocks.0.0.weight");
  EXPECT_EQ(weight.role, Role::kWeight);
  EXPECT_FALSE(weight.optional);
  const TensorAnatomy& positions = ToldOf(anatomy, tensors, kPositionIds);
  EXPECT_EQ(positions.local, "text_model.embeddings.position_ids");
  EXPECT_EQ(positions.role, Role::kPositionIds);
  EXPECT_TRUE(positions.optional);
}

TEST(Anatomy, ABareModelHasTheCanonicalNamesOfAMonolithicOne) {
  const TensorList tensors = Bare("flux1", "schnell");
  const Anatomy anatomy = Examined(tensors);
  EXPECT_EQ(ToldOf(anatomy, tensors, "img_in.weight").canonical,
            "model.diffusion_model.img_in.weight");
  EXPECT_EQ(anatomy.Modelspec(), "flux-1-schnell");
}

TEST(Anatomy, FluxIsFoundUnderBothFamiliesOfPrefixes) {
  TensorList tensors = Monolithic("flux1", "dev");
  Rename(tensors, [](const std::string& name) {
    if (name.starts_with("vae.")) return "first_stage_model." + name.substr(4);
    if (name.starts_with("text_encoders.")) return "cond_stage_model." + name.substr(14);
    return name;
  });
  const Anatomy anatomy = Examined(tensors);
  EXPECT_THAT(ComponentNames(anatomy), ElementsAre("transformer", "clip_l", "t5xxl", "vae"));
  for (const ComponentAnatomy& component : anatomy.components) EXPECT_TRUE(component.complete);
  EXPECT_EQ(ToldOf(anatomy, tensors, "first_stage_model.decoder.conv_in.bias").canonical,
            "vae.decoder.conv_in.bias");
}

TEST(Anatomy, FluxNormsMayBeCalledWeight) {
  TensorList tensors = Bare("flux1", "dev");
  Rename(tensors, [](const std::string& name) {
    return name.ends_with("_norm.scale") ? name.substr(0, name.size() - 5) + "weight" : name;
  });
  const Anatomy anatomy = Examined(tensors);
  EXPECT_TRUE(anatomy.components[0].complete);
  EXPECT_EQ(ToldOf(anatomy, tensors, "double_blocks.3.txt_attn.norm.query_norm.weight").local,
            "double_blocks.3.txt_attn.norm.query_norm.scale");
}

TEST(Anatomy, AnEncoderWithoutTheOuterModuleIsNormalised) {
  TensorList tensors = Monolithic("sd1");
  Rename(tensors, [](const std::string& name) {
    const std::string_view module = "text_model.";
    const std::size_t at = name.find(module);
    return at == std::string::npos ? name : name.substr(0, at) + name.substr(at + module.size());
  });
  const Anatomy anatomy = Examined(tensors);
  EXPECT_TRUE(anatomy.FindComponent("clip_l")->complete);
  EXPECT_EQ(
      ToldOf(anatomy, tensors, "cond_stage_model.transformer.final_layer_norm.bias").canonical,
      "cond_stage_model.transformer.text_model.final_layer_norm.bias");
}

TEST(Anatomy, ALogitScaleStandsBesideItsEncoder) {
  TensorList tensors = Monolithic("flux1", "dev");
  Add(tensors, "text_encoders.clip_l.logit_scale", DType::kF32, {});
  const Anatomy anatomy = Examined(tensors);
  const TensorAnatomy& told = ToldOf(anatomy, tensors, "text_encoders.clip_l.logit_scale");
  EXPECT_EQ(told.local, "logit_scale");
  EXPECT_EQ(told.canonical, "text_encoders.clip_l.logit_scale");
  EXPECT_TRUE(told.optional);
  EXPECT_EQ(anatomy.components[told.component].name, "clip_l");
  EXPECT_THAT(anatomy.components[told.component].extra, IsEmpty());
}

TEST(Anatomy, DevIsReportedFromSchnellByItsGuidance) {
  TensorList tensors = Bare("flux1", "dev", "full");
  EXPECT_EQ(Examined(tensors).variant, "dev");
  EXPECT_TRUE(ToldOf(Examined(tensors), tensors, "guidance_in.out_layer.weight").optional)
      << "schnell lacks it, and merges with dev";
  std::erase_if(tensors, [](const auto& tensor) { return tensor.name.starts_with("guidance_in"); });
  EXPECT_EQ(Examined(tensors).variant, "schnell");
}

TEST(Anatomy, APrunedRelativeIsUnknown) {
  TensorList tensors = Bare("flux1", "dev", "full");
  std::erase_if(tensors,
                [](const auto& tensor) { return tensor.name.starts_with("double_blocks.18."); });
  EXPECT_EQ(Examined(tensors).id, "unknown");
  TensorList sibling = Bare("sdxl", "base", "full");
  std::erase_if(sibling, [](const auto& tensor) {
    return tensor.name.starts_with("middle_block.1.transformer_blocks.");
  });
  EXPECT_EQ(Examined(sibling).id, "unknown");
}

/// Each has much in common with an architecture that is declared.
TEST(Anatomy, ARelativeIsNotClaimed) {
  const auto unknown = [](const TensorList& tensors) { return Examined(tensors).id == "unknown"; };
  TensorList unclip = Bare("sd2", "base", "full");
  Add(unclip, "label_emb.0.0.weight", DType::kF16, {1280, 1536});
  EXPECT_TRUE(unknown(unclip));

  TensorList zero123 = Monolithic("sd1", "pix2pix", "full");
  Add(zero123, "cc_projection.weight", DType::kF16, {768, 772});
  EXPECT_TRUE(unknown(zero123));

  TensorList wider = Bare("sdxl", "base", "full");
  At(wider, "input_blocks.0.0.weight").info.shape = {320, 5, 3, 3};
  EXPECT_TRUE(unknown(wider));

  TensorList deeper = Bare("flux1", "dev", "full");
  Add(deeper, "single_blocks.38.linear1.bias", DType::kF16, {21504});
  EXPECT_TRUE(unknown(deeper));

  TensorList unbiased = Bare("flux1", "dev", "full");  // as FLUX.2 is
  std::erase_if(unbiased, [](const auto& tensor) { return tensor.name.ends_with(".bias"); });
  EXPECT_TRUE(unknown(unbiased));

  TensorList radiance = Bare("chroma", "base", "full");
  Add(radiance, "nerf_blocks.0.norm.scale", DType::kF16, {64});
  EXPECT_TRUE(unknown(radiance));

  TensorList newbie = Bare("lumina2", "base", "full");
  Add(newbie, "clip_text_pooled_proj.0.weight", DType::kF16, {1024});
  EXPECT_TRUE(unknown(newbie));

  TensorList mage = Bare("qwen-image", "base", "full");
  At(mage, "txt_norm.weight").info.shape = {2560};
  EXPECT_TRUE(unknown(mage));
}

TEST(Anatomy, TheSiblingsOfStableDiffusion3AreToldApart) {
  TensorList medium = Bare("sd3.5-medium", "base", "full");
  EXPECT_EQ(Examined(medium).id, "sd3.5-medium");
  std::erase_if(
      medium, [](const auto& tensor) { return tensor.name.find(".attn2.") != std::string::npos; });
  EXPECT_EQ(Examined(medium).id, "unknown");
  std::erase_if(medium,
                [](const auto& tensor) { return tensor.name.find(".ln_") != std::string::npos; });
  EXPECT_EQ(Examined(medium).id, "sd3");
}

TEST(Anatomy, AStableDiffusion2MayHaveTheNamesOfSdxl) {
  TensorList turbo = Monolithic("sd2", "base", "full");
  Rename(turbo, [](const std::string& name) {
    constexpr std::string_view kFrom = "cond_stage_model.model.";
    return name.starts_with(kFrom) ? "conditioner.embedders.0.model." + name.substr(kFrom.size())
                                   : name;
  });
  const Anatomy anatomy = Examined(turbo);
  EXPECT_EQ(anatomy.id, "sd2");
  EXPECT_EQ(anatomy.layout, "sgm");
  EXPECT_THAT(ComponentNames(anatomy), ElementsAre("unet", "clip_h", "vae"));
  for (const ComponentAnatomy& component : anatomy.components) EXPECT_TRUE(component.complete);
}

TEST(Anatomy, ListsWhatIsMissingAndWhatIsExtra) {
  TensorList tensors = Monolithic("sd1");
  Remove(tensors, "model.diffusion_model.out.2.bias");
  Add(tensors, "model.diffusion_model.cc.weight", DType::kF16, {4});
  const Anatomy anatomy = Examined(tensors);
  const ComponentAnatomy& unet = *anatomy.FindComponent("unet");
  EXPECT_FALSE(unet.complete);
  EXPECT_THAT(unet.missing, ElementsAre("model.diffusion_model.out.2.bias"));
  EXPECT_THAT(unet.extra, ElementsAre("model.diffusion_model.cc.weight"));
}

TEST(Anatomy, ADevWithHalfItsGuidanceIsIncomplete) {
  TensorList tensors = Bare("flux1", "dev");
  Remove(tensors, "guidance_in.out_layer.weight");
  EXPECT_THAT(Examined(tensors).components[0].missing,
              ElementsAre("model.diffusion_model.guidance_in.out_layer.weight"));
}

TEST(Anatomy, OptionalTensorsAreNeitherMissingNorExtra) {
  TensorList tensors = Monolithic("sdxl");
  Remove(tensors, "conditioner.embedders.1.model.logit_scale");
  Remove(tensors, "conditioner.embedders.0.transformer.text_model.embeddings.position_ids");
  Add(tensors, "conditioner.embedders.0.transformer.text_projection.weight", DType::kF16, {32, 32});
  for (const ComponentAnatomy& component : Examined(tensors).components) {
    EXPECT_TRUE(component.complete) << component.name;
    EXPECT_THAT(component.missing, IsEmpty());
    EXPECT_THAT(component.extra, IsEmpty());
  }
}

TEST(Anatomy, AWrongShapeIsDamage) {
  TensorList tensors = Monolithic("sd1");
  At(tensors, "cond_stage_model.transformer.text_model.embeddings.position_embedding.weight")
      .info.shape = {248, 32};
  const Anatomy anatomy = Examined(tensors);
  EXPECT_FALSE(anatomy.FindComponent("clip_l")->complete);
  EXPECT_THAT(anatomy.damage,
              ElementsAre(HasSubstr("position_embedding.weight' is [248, 32], not [77, 32]")));
}

TEST(Anatomy, FloatingPositionIdsAreDamage) {
  TensorList tensors = Monolithic("sd1");
  At(tensors, kPositionIds).info.dtype = DType::kF16;
  const Anatomy anatomy = Examined(tensors);
  EXPECT_THAT(anatomy.damage, ElementsAre(HasSubstr("is stored as F16, not as I64")));
  EXPECT_EQ(ToldOf(anatomy, tensors, kPositionIds).role, Role::kPositionIds);
}

TEST(Anatomy, TrainingStateIsReportedFromWeights) {
  TensorList tensors = Monolithic("sd1");
  Add(tensors, "alphas_cumprod", DType::kF32, {1000});
  Add(tensors, "model_ema.decay", DType::kF32, {});
  Add(tensors, "model_ema.num_updates", DType::kI32, {});
  Add(tensors, "model_ema.diffusion_modelout2bias", DType::kF32, {4});
  Add(tensors, "first_stage_model.loss.logvar", DType::kF32, {});
  const Anatomy anatomy = Examined(tensors);
  EXPECT_THAT(ComponentNames(anatomy), ElementsAre("unet", "clip_l", "vae", "other", "ema"));
  EXPECT_EQ(anatomy.FindComponent("ema")->tensors, 3u);
  EXPECT_EQ(anatomy.FindComponent("other")->tensors, 2u);
  EXPECT_EQ(ToldOf(anatomy, tensors, "alphas_cumprod").role, Role::kBuffer);
  EXPECT_EQ(ToldOf(anatomy, tensors, "model_ema.num_updates").role, Role::kEma);
  EXPECT_TRUE(ToldOf(anatomy, tensors, "model_ema.decay").optional);
  EXPECT_TRUE(anatomy.FindComponent("vae")->complete);
  EXPECT_THAT(anatomy.FindComponent("vae")->extra, IsEmpty());
}

TEST(Anatomy, MarkersAndMetadataTellThePrediction) {
  TensorList tensors = Monolithic("sdxl");
  EXPECT_EQ(Examined(tensors).prediction, Prediction::kEpsilon);
  EXPECT_EQ(Examined(tensors, Metadata{{"modelspec.prediction_type", "v"}}).prediction,
            Prediction::kV);
  EXPECT_EQ(Examined(tensors, Metadata{{"modelspec.predict_key", "epsilon"}}).prediction,
            Prediction::kEpsilon);
  Add(tensors, "v_pred", DType::kF32, {0});
  Add(tensors, "ztsnr", DType::kF32, {0});
  const Anatomy anatomy = Examined(tensors);
  EXPECT_EQ(anatomy.prediction, Prediction::kV);
  EXPECT_THAT(anatomy.markers, ElementsAre("v_pred", "ztsnr"));
  EXPECT_EQ(ToldOf(anatomy, tensors, "ztsnr").role, Role::kMarker);
}

TEST(Anatomy, ScaledFp8IsRecognised) {
  TensorList tensors = Bare("flux1", "dev");
  At(tensors, "single_blocks.0.linear1.weight").info.dtype = DType::kF8E4M3;
  Add(tensors, "scaled_fp8", DType::kF8E4M3, {0});
  Add(tensors, "single_blocks.0.linear1.scale_weight", DType::kF32, {1});
  const Anatomy anatomy = Examined(tensors);
  EXPECT_THAT(anatomy.quantization, ElementsAre("scaled", "scaled_fp8"));
  EXPECT_EQ(ToldOf(anatomy, tensors, "single_blocks.0.linear1.scale_weight").role,
            Role::kQuantization);
  EXPECT_EQ(ToldOf(anatomy, tensors, "single_blocks.0.linear1.weight").role, Role::kWeight);
  EXPECT_THAT(anatomy.components[0].extra, IsEmpty());
}

TEST(Anatomy, PackedWeightsAreCodes) {
  TensorList tensors = Bare("flux1", "dev", "full");
  CheckpointTensor& weight = At(tensors, "single_blocks.0.linear1.weight");
  weight.info = {DType::kU8, {33'030'144, 1}};
  Add(tensors, "single_blocks.0.linear1.weight.absmax", DType::kF32, {1'032'192});
  Add(tensors, "single_blocks.0.linear1.weight.quant_state.bitsandbytes__nf4", DType::kU8, {86});
  const Anatomy anatomy = Examined(tensors);
  EXPECT_EQ(anatomy.id, "flux1");
  EXPECT_THAT(anatomy.quantization, testing::IsSupersetOf({"bnb", "bnb_nf4"}));
  EXPECT_EQ(ToldOf(anatomy, tensors, "single_blocks.0.linear1.weight").role, Role::kQuantization);
  EXPECT_THAT(anatomy.damage, IsEmpty());
}

TEST(Anatomy, AFileWithoutItsDiffusionModelIsKnownByItsEncoders) {
  TensorList tensors = Monolithic("sdxl");
  std::erase_if(tensors, [](const auto& tensor) { return tensor.name.starts_with("model."); });
  const Anatomy anatomy = Examined(tensors);
  EXPECT_EQ(anatomy.id, "sdxl");
  EXPECT_THAT(ComponentNames(anatomy), ElementsAre("clip_l", "clip_g", "vae"));
}

TEST(Anatomy, AVaeUnderAPrefixIsAVae) {
  TensorList tensors = PartAlone("vae", 0);
  Rename(tensors, [](const std::string& name) { return "first_stage_model." + name; });
  Add(tensors, "first_stage_model.model_ema.decay", DType::kF32, {});
  const Anatomy anatomy = Examined(tensors);
  EXPECT_EQ(anatomy.id, "vae");
  EXPECT_EQ(anatomy.variant, "z4");
  EXPECT_THAT(ComponentNames(anatomy), ElementsAre("vae", "ema"));
  EXPECT_EQ(ToldOf(anatomy, tensors, "first_stage_model.quant_conv.bias").local, "quant_conv.bias");
}

TEST(Anatomy, AnUnknownFileIsOneComponentUnderItsOwnNames) {
  TensorList tensors;
  Add(tensors, "model.embed_tokens.weight", DType::kBF16, {1000, 64});
  Add(tensors, "model.layers.0.mlp.up_proj.weight", DType::kBF16, {256, 64});
  Add(tensors, "model.layers.0.attn.bias_index", DType::kI64, {4});
  const Anatomy anatomy = Examined(tensors);
  EXPECT_EQ(anatomy.id, "unknown");
  EXPECT_EQ(anatomy.layout, "unknown");
  EXPECT_EQ(anatomy.prediction, Prediction::kUnknown);
  EXPECT_THAT(ComponentNames(anatomy), ElementsAre("other"));
  EXPECT_EQ(anatomy.components[0].kind, ComponentKind::kOther);
  const TensorAnatomy& weight = ToldOf(anatomy, tensors, "model.layers.0.mlp.up_proj.weight");
  EXPECT_EQ(weight.canonical, "model.layers.0.mlp.up_proj.weight");
  EXPECT_EQ(weight.role, Role::kWeight);
  EXPECT_EQ(ToldOf(anatomy, tensors, "model.layers.0.attn.bias_index").role, Role::kBuffer);
  EXPECT_TRUE(ToldOf(anatomy, tensors, "model.embed_tokens.weight").keep_precision);
  EXPECT_FALSE(weight.keep_precision);
}

TEST(Anatomy, WhatAFileLacksThatItIsKnownByIsSaidByAnother) {
  const Anatomy whole = Examined(Monolithic("sd1", "base"));
  for (const bool bare : {false, true}) {
    TensorList tensors = bare ? Bare("sd1", "base") : Monolithic("sd1", "base");
    const std::string prefix = bare ? "" : "model.diffusion_model.";
    std::erase_if(tensors, [](const CheckpointTensor& tensor) {
      return tensor.name.find("attn2.to_k") != std::string::npos ||
             tensor.name.ends_with("position_ids");  // they would be read, and there are no bytes
    });
    ASSERT_EQ(Examined(tensors).id, "unknown");
    const auto file = Checkpoint::OfTensors(tensors, "file");
    const std::optional<Anatomy> anatomy = ExamineAs(whole, *file);
    ASSERT_TRUE(anatomy);
    EXPECT_EQ(anatomy->id, "sd1");
    const TensorAnatomy& told = ToldOf(*anatomy, tensors, prefix + "input_blocks.0.0.weight");
    EXPECT_EQ(told.canonical, kConvIn);
    EXPECT_EQ(told.local, "input_blocks.0.0.weight");
  }
}

TEST(Anatomy, AFileOfOtherNamesIsNotSaidToBeWhatAnotherIs) {
  TensorList tensors;
  Add(tensors, std::string(kConvIn), DType::kF16, {320, 4, 3, 3});
  Add(tensors, "first", DType::kF16, {4});
  Add(tensors, "second", DType::kF16, {4});
  EXPECT_FALSE(
      ExamineAs(Examined(Monolithic("sd1", "base")), *Checkpoint::OfTensors(tensors, "file")));
}

TEST(Anatomy, AnEmptyHeaderIsUnknown) {
  const Anatomy anatomy = Examined({});
  EXPECT_EQ(anatomy.id, "unknown");
  EXPECT_THAT(anatomy.components, IsEmpty());
}

TEST(Anatomy, Fp8LeavesEmbeddingsFirstAndLastLayersEncodersAndVae) {
  const TensorList tensors = Monolithic("flux1", "dev");
  const Anatomy anatomy = Examined(tensors);
  const auto keeps = [&](std::string_view name) {
    return ToldOf(anatomy, tensors, name).keep_precision;
  };
  EXPECT_TRUE(keeps("model.diffusion_model.img_in.weight"));
  EXPECT_TRUE(keeps("model.diffusion_model.final_layer.linear.weight"));
  EXPECT_TRUE(keeps("model.diffusion_model.double_blocks.0.img_attn.norm.key_norm.scale"));
  EXPECT_TRUE(keeps("model.diffusion_model.double_blocks.0.img_attn.qkv.bias"));
  EXPECT_FALSE(keeps("model.diffusion_model.double_blocks.0.img_attn.qkv.weight"));
  EXPECT_TRUE(keeps("text_encoders.t5xxl.transformer.shared.weight"));
  EXPECT_FALSE(
      keeps("text_encoders.t5xxl.transformer.encoder.block.5.layer.1.DenseReluDense."
            "wo.weight"));
  EXPECT_TRUE(keeps("text_encoders.clip_l.transformer.text_model.encoder.layers.0.mlp.fc1.weight"));
  EXPECT_TRUE(keeps("vae.decoder.conv_in.weight"));
}

}  // namespace
}  // namespace weightsmith::internal
