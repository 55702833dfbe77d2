// The folders of a diffusers pipeline, one for each component.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/model/architecture.h"

namespace weightsmith::internal {

/// The folder that holds the component: "unet", "text_encoder_2". REQUIRES: one of the components,
/// which are those of an architecture.
std::string PipelineFolder(std::span<const ComponentRule> components, std::string_view name);

/// Every folder that the pipeline of some architecture has: diffusion models, then text encoders,
/// then VAEs.
std::span<const std::string> PipelineFolders();

}  // namespace weightsmith::internal
