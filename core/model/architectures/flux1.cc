// FLUX.1: dev, schnell, and dev's models with a wider input.

#include "core/model/architecture.h"
#include "core/model/block_lists/flux_lists.h"
#include "core/model/builders/flux_transformer.h"
#include "core/model/builders/variant_rows.h"
#include "core/model/components.h"

namespace weightsmith::internal {
namespace {

struct Variant {
  std::string_view name;
  std::string_view synth;
  std::uint64_t in_channels;  ///< 64 of the patch, the rest conditions
  bool guidance;
  std::string_view pipeline = {};  ///< empty: the architecture's
};

/// dev before schnell: all of schnell's tensors are dev's as well.
constexpr Variant kVariants[] = {
    {"dev", "flux1-dev", 64, true},
    {"fill", "flux1-fill", 384, true, "FluxFillPipeline"},
    {"control", "flux1-control", 128, true, "FluxControlPipeline"},
    {"schnell", "flux1-schnell", 64, false},
};

FluxTransformer Transformer(const Variant& variant, Scale scale) {
  const bool full = scale == Scale::kFull;
  return {.in_channels = variant.in_channels,
          .out_channels = 64,
          .width = full ? 3072u : 32u,
          .head = full ? 128u : 8u,
          .context = T5XxlWidth(scale),
          .vector = ClipLWidth(scale),
          .time = 256,
          .double_blocks = 19,
          .single_blocks = 38,
          .guidance = variant.guidance};
}

std::vector<ComponentRule> Components(const Variant& variant, Scale scale) {
  return {
      {"transformer",
       ComponentKind::kBackbone,
       {"model.diffusion_model."},
       BuildFluxTransformer(Transformer(variant, scale)),
       {{NameAlias::Where::kSuffix, "_norm.weight", "_norm.scale"}}},
      ClipL(scale, {"text_encoders.clip_l.transformer.", "cond_stage_model.clip_l.transformer."},
            PositionIds::kUnusual),
      T5Xxl(scale, {"text_encoders.t5xxl.transformer.", "cond_stage_model.t5xxl.transformer."}),
      VaeZ16(scale, {"vae.", "first_stage_model."}, kLatentsOfFlux),
  };
}

ArchitectureRow Row(const Variant& variant, Scale scale) {
  const FluxTransformer flux = Transformer(variant, scale);
  // The modulation tells it from Chroma, the numbers of blocks from pruned models. Biases
  // keep their shapes when weights are quantised.
  ArchitectureRow row = {.variant = variant.name,
                         .scale = scale == Scale::kFull ? "full" : "tiny",
                         .synth = variant.synth,
                         .components = [variant, scale] { return Components(variant, scale); },
                         .signature = {{"img_in.weight", {flux.width, flux.in_channels}},
                                       {"vector_in.in_layer.bias", {flux.width}},
                                       {"double_blocks.0.img_mod.lin.bias", {6 * flux.width}},
                                       {"double_blocks.18.img_attn.proj.bias", {flux.width}},
                                       {"single_blocks.37.linear2.bias", {flux.width}}},
                         .modelspec = variant.guidance ? "flux-1-dev" : "flux-1-schnell"};
  row.absent = {"double_blocks.19.", "single_blocks.38."};
  row.pipeline = variant.pipeline;
  if (flux.guidance) {
    row.signature.push_back({"guidance_in.in_layer.bias", {flux.width}});
  } else {
    row.schedule = NoiseSchedule{.shift = 1};
    row.distilled = variant.name;
    row.distilled_by = "the lack of guidance_in";
  }
  return row;
}

}  // namespace

const Architecture& flux1() {
  static const Architecture architecture = {
      .id = "flux1",
      .title = "FLUX.1",
      .modelspec = "flux-1-dev",
      .layout = "comfy",
      .prediction = Prediction::kFlow,
      .dtype = DType::kBF16,
      .keep_precision = {"img_in.", "txt_in.", "time_in.", "vector_in.", "guidance_in.",
                         "final_layer.", "shared.", "encoder.embed_tokens.",
                         "encoder.block.0.layer.0.SelfAttention.relative_attention_bias."},
      .input_weight = "img_in.weight",
      .rows = RowsOf(kVariants, Row),
      .bare_layout = "bfl",
      .published_bare = true,
      .pipeline = "FluxPipeline",
      .schedule = {.dynamic_shift = true},
      .implementation = "https://github.com/black-forest-labs/flux",
      .nicknames = {{"flux", "flux1-dev"},
                    {"flux control", "flux1-control"},
                    {"flux dev", "flux1-dev"},
                    {"flux fill", "flux1-fill"},
                    {"flux schnell", "flux1-schnell"}},
      .merge_lists = FluxMergeLists(),
      .adapter_lists = FluxAdapterLists()};
  return architecture;
}

}  // namespace weightsmith::internal
