// Stable Diffusion XL, base model, and its models with a wider input.

#include "core/model/architecture.h"
#include "core/model/block_lists/unet_lists.h"
#include "core/model/builders/ldm_unet.h"
#include "core/model/builders/variant_rows.h"
#include "core/model/components.h"

namespace weightsmith::internal {
namespace {

constexpr UnetVariant kVariants[] = {
    {"base", "sdxl", 4},
    {"inpainting", "sdxl-inpainting", 9, "StableDiffusionXLInpaintPipeline"},
    {"pix2pix", "sdxl-pix2pix", 8, "StableDiffusionXLInstructPix2PixPipeline"},
};

constexpr std::uint64_t kChannels[] = {320, 8};  // by Scale
constexpr std::uint64_t kSizeEmbeddings[] = {6 * 256, 6 * 4};

std::uint64_t LabelWidth(Scale scale) {
  return ClipGWidth(scale) + kSizeEmbeddings[static_cast<std::size_t>(scale)];
}
std::uint64_t ContextWidth(Scale scale) {
  return ClipLWidth(scale) + ClipGWidth(scale);
}

std::vector<ComponentRule> Components(Scale scale, std::uint64_t in_channels) {
  const LdmUnet unet = {.in_channels = in_channels,
                        .channels = kChannels[static_cast<std::size_t>(scale)],
                        .multipliers = {1, 2, 4},
                        .depth = {0, 2, 10},
                        .middle_depth = 10,
                        .context = ContextWidth(scale),
                        .linear_projection = true,
                        .label = LabelWidth(scale)};
  return {
      {"unet", ComponentKind::kBackbone, {"model.diffusion_model."}, BuildLdmUnet(unet), {}},
      ClipL(scale, {"conditioner.embedders.0.transformer."}, PositionIds::kUsual),
      ClipG(scale, {"conditioner.embedders.1.model."}),
      VaeZ4(scale, {"first_stage_model.", "vae."}, kLatentsOfSdxl),
  };
}

ArchitectureRow Row(const UnetVariant& variant, Scale scale) {
  const std::uint64_t in_channels = variant.in_channels;
  const std::uint64_t channels = kChannels[static_cast<std::size_t>(scale)];
  const std::uint64_t context = ContextWidth(scale);
  return {.variant = variant.name,
          .scale = ToString(scale),
          .synth = variant.synth,
          .components = [=] { return Components(scale, in_channels); },
          // The depths tell it from its distilled siblings, which have fewer transformer blocks.
          .signature =
              {{"input_blocks.0.0.weight", {channels, in_channels, 3, 3}},
               {"label_emb.0.0.weight", {4 * channels, LabelWidth(scale)}},
               {"input_blocks.4.1.transformer_blocks.1.attn2.to_k.weight", {2 * channels, context}},
               {"input_blocks.8.1.transformer_blocks.9.attn2.to_k.weight", {4 * channels, context}},
               {"middle_block.1.transformer_blocks.9.attn2.to_k.weight", {4 * channels, context}}},
          .pipeline = variant.pipeline};
}

}  // namespace

const Architecture& sdxl() {
  static const Architecture architecture = {
      .id = "sdxl",
      .title = "Stable Diffusion XL",
      .modelspec = "stable-diffusion-xl-v1-base",
      .layout = "sgm",
      .prediction = Prediction::kEpsilon,
      .dtype = DType::kF16,
      .keep_precision = {"time_embed.", "label_emb.", "input_blocks.0.", "out."},
      .input_weight = "input_blocks.0.0.weight",
      .rows = RowsOf(kVariants, Row),
      .pipeline = "StableDiffusionXLPipeline",
      .implementation = "https://github.com/Stability-AI/generative-models",
      .nicknames = {{"illustrious", "sdxl"},
                    {"noobai", "sdxl"},
                    {"pony", "sdxl"},
                    {"sd xl", "sdxl"},
                    {"sdxl 1.0", "sdxl"},
                    {"sdxl base 1.0", "sdxl"},
                    {"stable diffusion xl base 1.0", "sdxl"},
                    {"xl", "sdxl"}},
      .tones = LatentTones{{{1, 0, 0, 0, 0}, {0, 0, 1, -1, -1}, {0, 0, 0, -1, 1}, {0, 1, 0, 0, 0}}},
      .merge_lists = ThreeLevelMergeLists(),
      .adapter_lists = ThreeLevelAdapterLists()};
  return architecture;
}

}  // namespace weightsmith::internal
