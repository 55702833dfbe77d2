// Stable Diffusion 1.x and its models with a wider input.

#include "core/model/architecture.h"
#include "core/model/block_lists/unet_lists.h"
#include "core/model/builders/ldm_unet.h"
#include "core/model/builders/variant_rows.h"
#include "core/model/components.h"

namespace weightsmith::internal {
namespace {

constexpr std::uint64_t kChannels[] = {320, 8};  // by Scale

constexpr UnetVariant kVariants[] = {
    {"base", "sd15", 4},
    {"inpainting", "sd15-inpainting", 9, "StableDiffusionInpaintPipeline"},
    {"pix2pix", "sd15-pix2pix", 8, "StableDiffusionInstructPix2PixPipeline"},
};

std::vector<ComponentRule> Components(Scale scale, std::uint64_t in_channels) {
  const LdmUnet unet = {.in_channels = in_channels,
                        .channels = kChannels[static_cast<std::size_t>(scale)],
                        .multipliers = {1, 2, 4, 4},
                        .depth = {1, 1, 1, 0},
                        .middle_depth = 1,
                        .context = ClipLWidth(scale),
                        .linear_projection = false};
  return {
      {"unet", ComponentKind::kBackbone, {"model.diffusion_model."}, BuildLdmUnet(unet), {}},
      ClipL(scale, {"cond_stage_model.transformer."}, PositionIds::kUsual),
      VaeZ4(scale, {"first_stage_model.", "vae."}, kLatentsOfSd1),
  };
}

ArchitectureRow Row(const UnetVariant& variant, Scale scale) {
  const std::uint64_t in_channels = variant.in_channels;
  const std::uint64_t channels = kChannels[static_cast<std::size_t>(scale)];
  const std::uint64_t context = ClipLWidth(scale);
  return {.variant = variant.name,
          .scale = ToString(scale),
          .synth = variant.synth,
          .components = [=] { return Components(scale, in_channels); },
          .signature = {{"input_blocks.0.0.weight", {channels, in_channels, 3, 3}},
                        {"input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight",
                         {channels, context}},
                        {"middle_block.1.proj_in.weight", {4 * channels, 4 * channels, 1, 1}},
                        {"output_blocks.11.1.transformer_blocks.0.attn2.to_k.weight",
                         {channels, context}}},
          // Zero123 has pix2pix's width and a layer that mixes in the camera.
          .absent = {"label_emb.", "cc_projection."},
          .pipeline = variant.pipeline};
}

}  // namespace

const Architecture& sd1() {
  static const Architecture architecture = {
      .id = "sd1",
      .title = "Stable Diffusion 1.x",
      .modelspec = "stable-diffusion-v1",
      .layout = "ldm",
      .prediction = Prediction::kEpsilon,
      .dtype = DType::kF16,
      .keep_precision = {"time_embed.", "input_blocks.0.", "out."},
      .input_weight = "input_blocks.0.0.weight",
      .rows = RowsOf(kVariants, Row),
      .pipeline = "StableDiffusionPipeline",
      .implementation = "https://github.com/Stability-AI/generative-models",
      .nicknames = {{"1.5", "sd15"},
                    {"sd", "sd15"},
                    {"sd 1.4", "sd15"},
                    {"sd v1.5", "sd15"},
                    {"stable diffusion", "sd15"},
                    {"stable diffusion 1.5", "sd15"},
                    {"stable diffusion v1.5", "sd15"}},
      .tones =
          LatentTones{
              {{1, 0, 0, 0, 0}, {0, -1, 1, 0, 1}, {0, 1.0 / 3, 1, -1, 0}, {0, 2.0 / 3, 0, -1, 1}}},
      .merge_lists = FourLevelMergeLists(),
      .adapter_lists = FourLevelAdapterLists()};
  return architecture;
}

}  // namespace weightsmith::internal
