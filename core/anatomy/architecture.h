// What a kind of checkpoint consists of, as declarations: one file each in architectures/, whose
// rows of parameters expand to every tensor's name and shape.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor.h"

namespace weightsmith {

/// What a tensor is for. Only weights enter arithmetic; the rest is copied from the leftmost input.
enum class Role : std::uint8_t {
  kWeight,
  kPositionIds,   ///< CLIP's 0..76
  kMarker,        ///< v_pred, ztsnr, edm_vpred.*: says how the model predicts
  kBuffer,        ///< noise schedules and other training buffers
  kEma,           ///< averaged copies of weights, and their counters
  kTokenizer,     ///< vocabulary bytes
  kQuantization,  ///< scales and codes that belong to a quantised weight
};
std::string_view ToString(Role role);

enum class ComponentKind : std::uint8_t { kDiffusion, kText, kVae, kOther };

/// How a model was trained to predict; models of different kinds do not mix.
enum class Prediction : std::uint8_t { kUnknown, kEpsilon, kV, kFlow };
std::string_view ToString(Prediction prediction);

/// One tensor that the architecture has, by its name inside its component.
struct TensorRule {
  std::string name;
  Shape shape;
  Role role = Role::kWeight;
  bool optional = false;  ///< a complete component may lack it
};

struct ComponentRule {
  std::string name;                   ///< "unet", "clip_l": as info and places name it
  ComponentKind kind = ComponentKind::kOther;
  std::vector<std::string> prefixes;  ///< in monolithic files; the first is canonical
  std::vector<TensorRule> tensors;
};

/// One buildable form of an architecture: a variant at a scale.
struct ArchitectureRow {
  std::string_view variant;  ///< "base", "dev", "schnell"
  std::string_view scale;    ///< "full", or "tiny" for tests
  std::string_view synth;    ///< the name `synth` knows it by: "sd15"
  std::function<std::vector<ComponentRule>()> components;
};

struct Architecture {
  std::string_view id;         ///< "sd1", "sdxl", "flux1"
  std::string_view title;      ///< "Stable Diffusion 1.x"
  std::string_view modelspec;  ///< "stable-diffusion-v1"; variants may append to it
  std::string_view layout;     ///< of its monolithic files: "ldm", "sgm", "comfy"
  Prediction prediction = Prediction::kUnknown;  ///< where nothing in a file says otherwise
  DType dtype = DType::kF16;   ///< that published files usually have
  /// Name prefixes inside the diffusion model and T5 whose matrices an fp8 target leaves as they
  /// are: embeddings, first and last layers.
  std::vector<std::string_view> keep_precision;
  std::vector<ArchitectureRow> rows;
};

/// Every architecture that is declared, sorted by file name.
std::span<const Architecture* const> Architectures();

}  // namespace weightsmith
