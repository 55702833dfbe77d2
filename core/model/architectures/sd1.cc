// Stable Diffusion 1.x and its models with a wider input.

#include "core/model/architecture.h"
#include "core/model/builders/ldm_unet.h"
#include "core/model/components.h"

namespace weightsmith::internal {
namespace {

constexpr std::uint64_t kChannels[] = {320, 8};  // by Scale

std::vector<ComponentRule> Components(Scale scale, std::uint64_t in_channels) {
  const LdmUnet unet = {.in_channels = in_channels,
                        .channels = kChannels[static_cast<std::size_t>(scale)],
                        .multipliers = {1, 2, 4, 4},
                        .depth = {1, 1, 1, 0},
                        .middle_depth = 1,
                        .context = ClipLWidth(scale),
                        .linear_projection = false};
  return {
      {"unet", ComponentKind::kDiffusion, {"model.diffusion_model."}, BuildLdmUnet(unet), {}},
      ClipL(scale, {"cond_stage_model.transformer."}, PositionIds::kUsual),
      VaeZ4(scale, {"first_stage_model.", "vae."}),
  };
}

ArchitectureRow Row(std::string_view variant, Scale scale, std::string_view synth,
                    std::uint64_t in_channels) {
  const std::uint64_t channels = kChannels[static_cast<std::size_t>(scale)];
  const std::uint64_t context = ClipLWidth(scale);
  return {.variant = variant,
          .scale = scale == Scale::kFull ? "full" : "tiny",
          .synth = synth,
          .components = [=] { return Components(scale, in_channels); },
          .signature = {{"input_blocks.0.0.weight", {channels, in_channels, 3, 3}},
                        {"input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight",
                         {channels, context}},
                        {"middle_block.1.proj_in.weight", {4 * channels, 4 * channels, 1, 1}},
                        {"output_blocks.11.1.transformer_blocks.0.attn2.to_k.weight",
                         {channels, context}}},
          // Zero123 has pix2pix's width and a layer that mixes in the camera.
          .absent = {"label_emb.", "cc_projection."}};
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
      .rows = {Row("base", Scale::kFull, "sd15", 4),
               Row("inpainting", Scale::kFull, "sd15-inpainting", 9),
               Row("pix2pix", Scale::kFull, "sd15-pix2pix", 8),
               Row("base", Scale::kTiny, "sd15", 4),
               Row("inpainting", Scale::kTiny, "sd15-inpainting", 9),
               Row("pix2pix", Scale::kTiny, "sd15-pix2pix", 8)}};
  return architecture;
}

}  // namespace weightsmith::internal
