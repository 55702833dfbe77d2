// What a checkpoint is, told from its header alone: architecture, components, and for every tensor
// its component, canonical name and role.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/anatomy/architecture.h"
#include "core/checkpoint.h"

namespace weightsmith {

/// One tensor's place. The canonical name is the one in a monolithic file of the architecture
/// ("model.diffusion_model.input_blocks.0.0.weight"), whatever this file calls it; for an unknown
/// architecture, the file's own name.
struct TensorAnatomy {
  std::string canonical;
  std::string local;            ///< inside its component: with its name, what joins operands
  std::uint32_t component = 0;  ///< index in Anatomy::components
  Role role = Role::kWeight;
  bool optional = false;
};

struct ComponentAnatomy {
  std::string name;  ///< "unet", "transformer", "clip_l", "clip_g", "t5xxl", "vae", "ema", "other"
  ComponentKind kind = ComponentKind::kOther;
  std::uint64_t tensors = 0;
  std::uint64_t parameters = 0;
  std::uint64_t bytes = 0;
  std::map<DType, std::uint64_t> dtypes;  ///< tensors of each
  bool complete = true;
  std::vector<std::string> missing;  ///< canonical names that the architecture has and the file lacks
  std::vector<std::string> extra;    ///< names that the file has and the architecture lacks
};

struct Anatomy {
  const Architecture* architecture = nullptr;  ///< null: unknown
  std::string id = "unknown";                  ///< architecture->id, or "unknown"
  std::string variant = "base";
  std::string scale = "full";
  /// "ldm", "sgm", "comfy" for monolithic names, "component" for bare ones, "hf" …
  std::string layout = "unknown";
  Prediction prediction = Prediction::kUnknown;
  std::vector<ComponentAnatomy> components;
  std::vector<TensorAnatomy> tensors;  ///< parallel to the checkpoint's tensors()
  std::vector<std::string> markers;
  std::vector<std::string> quantization;  ///< schemes that were recognised; empty: none
  std::vector<std::string> damage;        ///< what is known to be broken, a sentence each

  const ComponentAnatomy* FindComponent(std::string_view name) const;
};

Anatomy Examine(const Checkpoint& checkpoint);

}  // namespace weightsmith
