// Stable Diffusion 3 medium.

#include "core/model/architecture.h"
#include "core/model/builders/mmdit.h"

namespace weightsmith::internal {
namespace {

constexpr Mmdit kFull = {.depth = 24,
                         .head = 64,
                         .positions = 192,
                         .context = 4096,
                         .vector = 2048,
                         .time = 256,
                         .qk_norm = false,
                         .dual_attention = 0};

}  // namespace

const Architecture& sd3() {
  static const Architecture architecture = {
      .id = "sd3",
      .title = "Stable Diffusion 3 medium",
      .modelspec = "stable-diffusion-3-medium",
      .layout = "comfy",
      .prediction = Prediction::kFlow,
      .dtype = DType::kF16,
      .keep_precision = MmditKeepPrecision(),
      .input_weight = "x_embedder.proj.weight",
      .rows = {MmditRow("sd3", Scale::kFull, kFull), MmditRow("sd3", Scale::kTiny, kFull)},
      .pipeline = "StableDiffusion3Pipeline",
      .nicknames = {{"sd 3.0", "sd3"}, {"sd3 medium", "sd3"}, {"stable diffusion 3", "sd3"}}};
  return architecture;
}

}  // namespace weightsmith::internal
