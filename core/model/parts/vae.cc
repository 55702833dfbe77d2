#include "core/model/components.h"

namespace weightsmith::internal {
namespace {

/// A file of a VAE alone does not say whose it is.
constexpr std::string_view kNoteZ4 =
    "config.json has the scaling_factor of Stable Diffusion 1 and 2, 0.18215; the VAE of SDXL is "
    "of "
    "the same form and has 0.13025";
constexpr std::string_view kNoteZ16 =
    "config.json has the scaling_factor of FLUX.1, 0.3611, and its shift_factor, 0.1159; the VAE "
    "of "
    "SD 3 is of the same form and has 1.5305 and 0.0609";

PartRow Row(std::string_view variant, Scale scale, std::string_view name, std::string_view synth,
            std::uint64_t latent) {
  const std::uint64_t width = 4 * (scale == Scale::kFull ? 128u : 8u);
  return {.variant = variant,
          .scale = name,
          .layout = "component",
          .synth = synth,
          .component =
              [=] {
                return latent == 4 ? VaeZ4(scale, {""}, kLatentsOfSd1)
                                   : VaeZ16(scale, {""}, kLatentsOfFlux);
              },
          .signature = {{"decoder.conv_in.weight", {width, latent, 3, 3}},
                        {"decoder.mid.attn_1.q.weight", {width, width, 1, 1}}},
          .note = latent == 4 ? kNoteZ4 : kNoteZ16};
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
