// A checkpoint as the folder of a diffusers pipeline: a view of each component in its folder, and
// the configurations that go with them.
#pragma once

#include "core/formats/checkpoint.h"
#include "core/model/anatomy.h"
#include "core/model/output_layout.h"

namespace weightsmith::internal {

/// Of a file that is one component alone (a VAE, a text encoder, a diffusion model with names from
/// the root) it is the folder of that component: its config.json beside its weights, but with
/// `in_pipeline`. Any other is a pipeline. Tokenizers are no part of a checkpoint and so not of
/// this. What belongs to no component is other.safetensors. Throws kMismatch where no naming of
/// diffusers is known for a component.
FileSet AsPipeline(const Checkpoint& checkpoint, const Anatomy& anatomy, bool in_pipeline);

}  // namespace weightsmith::internal
