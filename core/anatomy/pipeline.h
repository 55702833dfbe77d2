// A checkpoint as the folder of a diffusers pipeline: a view of each component in its folder, and
// the configurations that go with them.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/anatomy/anatomy.h"
#include "core/checkpoint.h"

namespace weightsmith {

struct Pipeline {
  struct Weights {
    std::string component;
    std::filesystem::path path;  ///< "unet/diffusion_pytorch_model.safetensors"
    std::shared_ptr<const Checkpoint> checkpoint;
  };
  struct Text {
    std::filesystem::path path;  ///< "unet/config.json"
    std::string text;
  };
  std::vector<Weights> weights;
  std::vector<Text> texts;  ///< the last one, model_index.json, makes the folder a pipeline
};

/// The folder that holds the component in a pipeline: "unet", "text_encoder_2". REQUIRES: a
/// component of a row of that architecture.
std::string PipelineFolder(const Architecture& architecture,
                           const std::vector<ComponentRule>& components, std::string_view name);

/// Tokenizers are no part of a checkpoint and so not of this. What belongs to no component is
/// other.safetensors. Throws kMismatch where no naming of diffusers is known for a component.
Pipeline AsPipeline(const Checkpoint& checkpoint, const Anatomy& anatomy);

}  // namespace weightsmith
