#include "cli/topic.h"

namespace weightsmith::internal::topics {

const Topic& blocks() {
  static constexpr Topic kTopic = {
      .name = "blocks",
      .summary = "The names of components and blocks",
      .text = R"(weightsmith blocks FILE lists the blocks of a file, --summary a line for each.

Components:

  unet = transformer = dit              the diffusion model
  te                                    all text encoders
  te1, te2, te3                         each, in the order of the architecture
  clip_l, clip_g, clip_h, t5xxl         each by its name
  vae

Blocks, in two spellings:

  IN00 … IN11, IN00-IN05                unet.in.0, unet.in.0-5
  M00                                   unet.mid
  OUT00 … OUT11                         unet.out.0 …
  TIME, LABEL                           unet.time, unet.label
  D00 … D18, S00 … S37                  dit.double.0, dit.single.0 (FLUX.1)
                                        dit.joint.0-23 (SD 3)
                                        layer.0-31, embed, head (LLMs)
                                        te.layer.0-11, vae.encoder, vae.decoder

SD 1 and 2 have IN00-IN11, M00 and OUT00-OUT11; SDXL has IN00-IN08, M00 and
OUT00-OUT08. A model that is not known has the blocks of its names:
trunk.4.attn.weight is in trunk.4.

An element behind a colon selects whole segments of names:

  IN04-IN08:attn2                       cross attention of five blocks
  layer.0-31:self_attn
  unet:norm

  weightsmith: 1
  models: {photo: photo.safetensors, anime: anime.safetensors}
  steps:
    mix:
      op: weighted_sum
      a: photo
      b: anime
      alpha: {default: 0.3, IN04-IN08: 0.5, "unet.out:attn1": 0.1, vae: 0.2}
  output: {model: mix, path: mix.safetensors}
)"};
  return kTopic;
}

}  // namespace weightsmith::internal::topics
