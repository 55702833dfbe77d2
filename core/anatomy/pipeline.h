// A checkpoint as the folder of a diffusers pipeline: a view of each component in its folder, and
// the configurations that go with them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/anatomy/anatomy.h"
#include "core/anatomy/file_layout.h"
#include "core/checkpoint.h"

namespace weightsmith {

/// The folder that holds the component in a pipeline: "unet", "text_encoder_2". REQUIRES: a
/// component of a row of that architecture.
std::string PipelineFolder(const Architecture& architecture,
                           const std::vector<ComponentRule>& components, std::string_view name);

/// Tokenizers are no part of a checkpoint and so not of this. What belongs to no component is
/// other.safetensors. Throws kMismatch where no naming of diffusers is known for a component.
FileSet AsPipeline(const Checkpoint& checkpoint, const Anatomy& anatomy);

}  // namespace weightsmith
