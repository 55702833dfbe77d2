// Stable Diffusion 3.5 large, and its turbo, which has the same tensors.

#include "core/model/architecture.h"
#include "core/model/builders/mmdit.h"

namespace weightsmith::internal {
namespace {

constexpr Mmdit kFull = {.depth = 38,
                         .head = 64,
                         .positions = 192,
                         .context = 4096,
                         .vector = 2048,
                         .time = 256,
                         .qk_norm = true,
                         .dual_attention = 0};

}  // namespace

const Architecture& sd3_5_large() {
  static const Architecture architecture = {.id = "sd3.5-large",
                                            .title = "Stable Diffusion 3.5 large",
                                            .modelspec = "stable-diffusion-3.5-large",
                                            .layout = "comfy",
                                            .prediction = Prediction::kFlow,
                                            .dtype = DType::kF16,
                                            .keep_precision = MmditKeepPrecision(),
                                            .input_weight = "x_embedder.proj.weight",
                                            .rows = {MmditRow("sd3.5-large", Scale::kFull, kFull),
                                                     MmditRow("sd3.5-large", Scale::kTiny, kFull)},
                                            .pipeline = "StableDiffusion3Pipeline",
                                            .nicknames = {{"sd3.5 l", "sd3.5-large"}}};
  return architecture;
}

}  // namespace weightsmith::internal
