// What a checkpoint is, told from its header alone: architecture, components, and for every tensor
// its component, canonical name and role.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/formats/checkpoint.h"
#include "core/model/architecture.h"
#include "core/model/quantised.h"

namespace weightsmith::internal {

/// One tensor's place. The canonical name is the one in a monolithic file of the architecture
/// ("model.diffusion_model.input_blocks.0.0.weight"), whatever this file calls it; for an unknown
/// architecture, the file's own name.
struct TensorAnatomy {
  std::string canonical;
  /// The name inside its component, which is the same in a monolithic file, in a file of the
  /// component alone, and over architectures that share it: what joins operands.
  std::string local;
  std::uint32_t component = 0;  ///< index in Anatomy::components
  Role role = Role::kWeight;
  bool optional = false;  ///< a complete file, or another variant, may lack it
  bool input = false;     ///< its columns are the diffusion model's input channels
  /// An fp8 target leaves it as it is: not a matrix, an embedding, a first or last layer, or of a
  /// component that is neither the diffusion model nor T5.
  bool keep_precision = false;
  /// Not 0: one more than the index in Anatomy::quantised of the weight that it is codes or a
  /// companion of.
  std::uint32_t quantised = 0;
};

struct ComponentAnatomy {
  std::string name;  ///< "unet", "transformer", "clip_l", "clip_g", "t5xxl", "vae", "ema", "other"
  ComponentKind kind = ComponentKind::kOther;
  std::uint64_t tensors = 0;
  std::uint64_t parameters = 0;  ///< elements of floating dtype
  std::uint64_t bytes = 0;
  std::map<DType, std::uint64_t> dtypes;  ///< tensors of each
  bool complete = true;
  bool merged_by_default = true;  ///< as its declaration has it
  /// Canonical names that the architecture has and the file lacks.
  std::vector<std::string> missing;
  /// Names that the file has and the architecture lacks.
  std::vector<std::string> extra;
};

/// That a model draws in a few steps, and what says so.
struct Distilled {
  std::string kind;  ///< "schnell", "lcm", "turbo", "lightning" …
  std::string by;    ///< a tensor, a key of the metadata
};

struct Anatomy {
  const Architecture* architecture = nullptr;  ///< null: unknown, or a part alone
  std::shared_ptr<const ArchitectureRow> row;  ///< of the architecture
  const Part* part = nullptr;                  ///< of a file that holds one shared component
  const PartRow* part_row = nullptr;           ///< of the part
  std::string id = "unknown";                  ///< of architecture or part, or "unknown"
  std::string variant = "base";
  std::string scale = "full";
  /// "ldm", "sgm", "comfy" for monolithic names, "bfl" for a bare FLUX transformer, "component"
  /// for other bare names, "hf" where the canonical names are others.
  std::string layout = "unknown";
  Prediction prediction = Prediction::kUnknown;
  std::optional<Distilled> distilled;
  std::vector<ComponentAnatomy> components;
  std::vector<TensorAnatomy> tensors;  ///< parallel to the checkpoint's tensors()
  std::vector<std::string> markers;
  std::vector<std::string> quantization;   ///< schemes that were recognised; empty: none
  std::vector<QuantisedWeight> quantised;  ///< weights that are stored as codes
  std::vector<std::string> damage;         ///< what is known to be broken, a sentence each
  /// Of a language model: rows of a head of attention, by the norm of its queries or by the
  /// config.json beside it; 0 where neither says it.
  std::uint64_t head_size = 0;

  const ComponentAnatomy* FindComponent(std::string_view name) const;
  /// Value of modelspec.architecture; empty where the architecture is unknown.
  std::string_view Modelspec() const;
  /// Class of the pipeline of diffusers that the model is run by.
  std::string_view Pipeline() const;
  /// REQUIRES: a known architecture.
  const NoiseSchedule& Schedule() const;
};

/// Tells it from the header, from the 77 values of position_ids where there are some, and from the
/// model_type and the heads of a config.json beside the file.
Anatomy Examine(const Checkpoint& checkpoint);

/// What a file is that lacks what its architecture is known by, taken for one of that of `like`;
/// nothing where fewer than half of its tensors are such ones. REQUIRES: `like` has an
/// architecture.
std::optional<Anatomy> ExamineAs(const Anatomy& like, const Checkpoint& checkpoint);

/// As Examine from the header alone, with the model_type of a config.json that belongs to it.
/// REQUIRES: tensors sorted by name, as Checkpoint has them.
Anatomy ExamineHeader(std::span<const CheckpointTensor> tensors,
                      const std::optional<Metadata>& metadata, std::string_view model_type = {});

}  // namespace weightsmith::internal
