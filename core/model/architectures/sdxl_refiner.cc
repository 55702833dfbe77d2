// The refiner of Stable Diffusion XL: another UNet, and one text encoder.

#include <utility>

#include "core/model/architecture.h"
#include "core/model/builders/ldm_unet.h"
#include "core/model/components.h"

namespace weightsmith::internal {
namespace {

constexpr std::uint64_t kSizeEmbeddings = 5;  // sizes and the aesthetic score

std::uint64_t Channels(Scale scale) {
  return At(scale, 384, 12);
}
std::uint64_t LabelWidth(Scale scale) {
  return ClipGWidth(scale) + kSizeEmbeddings * At(scale, 256, 4);
}

std::vector<ComponentRule> Components(Scale scale) {
  const LdmUnet unet = {.in_channels = 4,
                        .channels = Channels(scale),
                        .multipliers = {1, 2, 4, 4},
                        .depth = {0, 4, 4, 0},
                        .middle_depth = 4,
                        .context = ClipGWidth(scale),
                        .linear_projection = true,
                        .label = LabelWidth(scale)};
  ComponentRule clip_g = ClipG(scale, {"conditioner.embedders.0.model."});
  clip_g.text_encoder = 2;  // the base model's second encoder, and no first
  return {
      {"unet", ComponentKind::kBackbone, {"model.diffusion_model."}, BuildLdmUnet(unet), {}},
      std::move(clip_g),
      VaeZ4(scale, {"first_stage_model.", "vae."}, kLatentsOfSdxl),
  };
}

ArchitectureRow Row(Scale scale) {
  const std::uint64_t channels = Channels(scale);
  const std::uint64_t context = ClipGWidth(scale);
  return {.variant = "base",
          .scale = ToString(scale),
          .synth = "sdxl-refiner",
          .components = [scale] { return Components(scale); },
          .signature = {
              {"input_blocks.0.0.weight", {channels, 4, 3, 3}},
              {"label_emb.0.0.weight", {4 * channels, LabelWidth(scale)}},
              {"input_blocks.4.1.transformer_blocks.3.attn2.to_k.weight", {2 * channels, context}},
              {"middle_block.1.transformer_blocks.3.attn2.to_k.weight", {4 * channels, context}}}};
}

}  // namespace

const Architecture& sdxl_refiner() {
  static const Architecture architecture = {
      .id = "sdxl-refiner",
      .title = "Stable Diffusion XL refiner",
      .modelspec = "stable-diffusion-xl-v1-refiner",
      .layout = "sgm",
      .prediction = Prediction::kEpsilon,
      .dtype = DType::kF16,
      .keep_precision = {"time_embed.", "label_emb.", "input_blocks.0.", "out."},
      .input_weight = "input_blocks.0.0.weight",
      .rows = {Row(Scale::kFull), Row(Scale::kTiny)},
      .pipeline = "StableDiffusionXLImg2ImgPipeline",
      .nicknames = {{"refiner", "sdxl-refiner"}, {"sdxl refiner 1.0", "sdxl-refiner"}},
      .tones =
          LatentTones{{{1, 0, 0, 0, 0}, {0, 0, 1, -1, -1}, {0, 0, 0, -1, 1}, {0, 1, 0, 0, 0}}}};
  return architecture;
}

}  // namespace weightsmith::internal
