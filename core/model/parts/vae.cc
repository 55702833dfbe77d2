#include "core/model/components.h"

namespace weightsmith::internal {
namespace {

PartRow Row(std::string_view variant, Scale scale, std::string_view name, std::string_view synth,
            std::uint64_t latent) {
  const std::uint64_t width = 4 * (scale == Scale::kFull ? 128u : 8u);
  return {.variant = variant,
          .scale = name,
          .layout = "component",
          .synth = synth,
          .component = [=] { return latent == 4 ? VaeZ4(scale, {""}) : VaeZ16(scale, {""}); },
          .signature = {{"decoder.conv_in.weight", {width, latent, 3, 3}},
                        {"decoder.mid.attn_1.q.weight", {width, width, 1, 1}}}};
}

}  // namespace

const Part& vae() {
  static const Part part = {.id = "vae",
                            .title = "KL autoencoder",
                            .dtype = DType::kF32,
                            .keep_precision = {},
                            .prefixes = {"", "first_stage_model.", "vae."},
                            .rows = {Row("z4", Scale::kFull, "full", "vae", 4),
                                     Row("z16", Scale::kFull, "full", "vae-flux", 16),
                                     Row("z4", Scale::kTiny, "tiny", "vae", 4),
                                     Row("z16", Scale::kTiny, "tiny", "vae-flux", 16)}};
  return part;
}

}  // namespace weightsmith::internal
