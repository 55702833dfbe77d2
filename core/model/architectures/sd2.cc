// Stable Diffusion 2.0 and 2.1. Models that predict noise and models that predict v have the same
// tensors; SD-Turbo is one of them in the naming of SDXL.

#include <utility>

#include "core/model/architecture.h"
#include "core/model/block_lists/unet_lists.h"
#include "core/model/builders/ldm_unet.h"
#include "core/model/builders/variant_rows.h"
#include "core/model/components.h"

namespace weightsmith::internal {
namespace {

constexpr UnetVariant kVariants[] = {
    {"base", "sd21", 4},
    {"inpainting", "sd2-inpainting", 9, "StableDiffusionInpaintPipeline"},
    {"depth", "sd2-depth", 5, "StableDiffusionDepth2ImgPipeline"},
};

std::uint64_t Channels(Scale scale) {
  return At(scale, 320, 8);
}

std::vector<ComponentRule> Components(Scale scale, std::uint64_t in_channels) {
  const LdmUnet unet = {.in_channels = in_channels,
                        .channels = Channels(scale),
                        .multipliers = {1, 2, 4, 4},
                        .depth = {1, 1, 1, 0},
                        .middle_depth = 1,
                        .context = ClipHWidth(scale),
                        .linear_projection = true};
  ComponentRule clip_h =
      ClipH(scale, {"cond_stage_model.model.", "conditioner.embedders.0.model."});
  clip_h.text.output = ClipOutput::kPenultimate;
  return {
      {"unet", ComponentKind::kBackbone, {"model.diffusion_model."}, BuildLdmUnet(unet), {}},
      std::move(clip_h),
      VaeZ4(scale, {"first_stage_model.", "vae."}, kLatentsOfSd1),
  };
}

ArchitectureRow Row(const UnetVariant& variant, Scale scale) {
  const std::uint64_t in_channels = variant.in_channels;
  const std::uint64_t channels = Channels(scale);
  const std::uint64_t context = ClipHWidth(scale);
  return {.variant = variant.name,
          .scale = ToString(scale),
          .synth = variant.synth,
          .components = [=] { return Components(scale, in_channels); },
          .signature = {{"input_blocks.0.0.weight", {channels, in_channels, 3, 3}},
                        {"input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight",
                         {channels, context}},
                        {"middle_block.1.proj_in.weight", {4 * channels, 4 * channels}},
                        {"output_blocks.11.1.transformer_blocks.0.attn2.to_k.weight",
                         {channels, context}}},
          .absent = {"label_emb."},  // unCLIP and video models
          .pipeline = variant.pipeline};
}

}  // namespace

const Architecture& sd2() {
  static const Architecture architecture = {
      .id = "sd2",
      .title = "Stable Diffusion 2.x",
      .modelspec = "stable-diffusion-v2",
      .layout = "ldm",
      .prediction = Prediction::kUnknown,
      .dtype = DType::kF16,
      .keep_precision = {"time_embed.", "input_blocks.0.", "out."},
      .input_weight = "input_blocks.0.0.weight",
      .rows = RowsOf(kVariants, Row),
      .pipeline = "StableDiffusionPipeline",
      .nicknames = {{"2.1", "sd21"},
                    {"sd 2.0", "sd21"},
                    {"stable diffusion 2.1", "sd21"},
                    {"stable diffusion v2.1", "sd21"}},
      .tones =
          LatentTones{
              {{1, 0, 0, 0, 0}, {0, -1, 1, 0, 1}, {0, 1.0 / 3, 1, -1, 0}, {0, 2.0 / 3, 0, -1, 1}}},
      .merge_lists = FourLevelMergeLists(),
      .adapter_lists = FourLevelAdapterLists()};
  return architecture;
}

}  // namespace weightsmith::internal
