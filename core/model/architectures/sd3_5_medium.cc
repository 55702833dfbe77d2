// Stable Diffusion 3.5 medium: attention to the image twice in the first half of its blocks.

#include "core/model/architecture.h"
#include "core/model/builders/mmdit.h"

namespace weightsmith::internal {
namespace {

constexpr Mmdit kFull = {.depth = 24,
                         .head = 64,
                         .positions = 384,
                         .context = 4096,
                         .vector = 2048,
                         .time = 256,
                         .qk_norm = true,
                         .dual_attention = 13};

}  // namespace

const Architecture& sd3_5_medium() {
  static const Architecture architecture = {.id = "sd3.5-medium",
                                            .title = "Stable Diffusion 3.5 medium",
                                            .modelspec = "stable-diffusion-3.5-medium",
                                            .layout = "comfy",
                                            .prediction = Prediction::kFlow,
                                            .dtype = DType::kF16,
                                            .keep_precision = MmditKeepPrecision(),
                                            .input_weight = "x_embedder.proj.weight",
                                            .rows = {MmditRow("sd3.5-medium", Scale::kFull, kFull),
                                                     MmditRow("sd3.5-medium", Scale::kTiny, kFull)},
                                            .pipeline = "StableDiffusion3Pipeline",
                                            .nicknames = {{"sd3.5 m", "sd3.5-medium"}}};
  return architecture;
}

}  // namespace weightsmith::internal
