// Chroma: FLUX.1's blocks, with one small network in the place of all modulation layers.

#include "core/model/architecture.h"
#include "core/model/builders/flux_transformer.h"
#include "core/model/components.h"

namespace weightsmith::internal {
namespace {

FluxTransformer Transformer(Scale scale) {
  return {.in_channels = 64,
          .out_channels = 64,
          .width = At(scale, 3072, 32),
          .head = At(scale, 128, 8),
          .context = T5XxlWidth(scale),
          .vector = 0,
          .time = 0,
          .double_blocks = 19,
          .single_blocks = 38,
          .guidance = false,
          .modulator = At(scale, 5120, 40)};
}

std::vector<ComponentRule> Components(Scale scale) {
  return {
      {"transformer",
       ComponentKind::kBackbone,
       {"model.diffusion_model."},
       BuildFluxTransformer(Transformer(scale)),
       {{NameAlias::Where::kSuffix, "_norm.weight", "_norm.scale"}}},
      T5Xxl(scale, {"text_encoders.t5xxl.transformer.", "cond_stage_model.t5xxl.transformer."}),
      VaeZ16(scale, {"vae.", "first_stage_model."}, kLatentsOfFlux),
  };
}

ArchitectureRow Row(Scale scale) {
  const FluxTransformer flux = Transformer(scale);
  return {.variant = "base",
          .scale = ToString(scale),
          .synth = "chroma",
          .components = [scale] { return Components(scale); },
          .signature = {{"distilled_guidance_layer.in_proj.bias", {flux.modulator}},
                        {"distilled_guidance_layer.out_proj.bias", {flux.width}},
                        {"img_in.weight", {flux.width, flux.in_channels}},
                        {"double_blocks.18.img_attn.proj.bias", {flux.width}},
                        {"single_blocks.37.linear2.bias", {flux.width}}},
          .absent = {"nerf_blocks.", "double_blocks.19.", "single_blocks.38."}};  // Radiance
}

}  // namespace

const Architecture& chroma() {
  static const Architecture architecture = {
      .id = "chroma",
      .title = "Chroma",
      .modelspec = "chroma",
      .layout = "comfy",
      .prediction = Prediction::kFlow,
      .dtype = DType::kBF16,
      .keep_precision = {"img_in.", "txt_in.", "distilled_guidance_layer.", "final_layer.",
                         "shared.", "encoder.embed_tokens.",
                         "encoder.block.0.layer.0.SelfAttention.relative_attention_bias."},
      .input_weight = "img_in.weight",
      .rows = {Row(Scale::kFull), Row(Scale::kTiny)},
      .bare_layout = "bfl",
      .published_bare = true,
      .pipeline = "ChromaPipeline",
      .nicknames = {{"chroma hd", "chroma"}, {"chroma1", "chroma"}, {"chroma1 hd", "chroma"}}};
  return architecture;
}

}  // namespace weightsmith::internal
