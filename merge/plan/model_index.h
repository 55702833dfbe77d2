// The tensors of a model under the key that joins operands: component and name inside it, whatever
// the layout of the file they lie in.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/model/stored_scales.h"
#include "merge/expression/expression.h"

namespace weightsmith::internal {

/// What joins the tensors of models: the name inside a component.
struct TensorKey {
  std::string component;  ///< "unet"
  std::string tensor;     ///< "input_blocks.0.0.weight"

  auto operator<=>(const TensorKey&) const = default;
};

/// The scales that a model stores a weight with, in an encoding that is known.
struct JoinedScales : StoredScales {
  TensorKey key;  ///< of the tensor of scales
};

struct ModelTensor {
  std::uint32_t part = 0;
  std::uint32_t tensor = 0;  ///< index in the part's checkpoint
  const CheckpointTensor* stored = nullptr;
  const TensorAnatomy* anatomy = nullptr;
  const ComponentAnatomy* component = nullptr;
  /// What it is multiplied by to be the weight that it stands for.
  std::optional<JoinedScales> scales{};
  bool joined = false;  ///< it is the scales of another tensor, with which it is planned
};

/// The elements that each of its scales is for, where the tensor has some and is taken for one of
/// that shape, which may have more input channels; nothing where the scales do not fit it.
std::optional<Grid> CellsOf(const ModelTensor& tensor, const Shape& shape);

/// "unet/input_blocks.0.0.weight", for messages.
std::string ToString(const TensorKey& key);

/// A weight that a model stores as codes and companions.
struct StoredWeight {
  std::vector<TensorKey> keys;  ///< of all that belongs to it, the first codes first
  std::string codes;            ///< names in the file, for messages
  std::string companion;
};
/// "'x.weight' is stored with 'x.weight_scale'".
std::string InWords(const StoredWeight& weight);

class ModelIndex {
 public:
  /// Without tensors where it is an adapter. REQUIRES: `model` outlives the index. Throws kMismatch
  /// when two parts give one tensor.
  explicit ModelIndex(const Model& model);

  const Model& model() const { return *model_; }
  const ModelTensor* Find(const TensorKey& key) const;
  const std::map<TensorKey, ModelTensor>& tensors() const { return tensors_; }
  /// The weight that a tensor is codes or a companion of; null for one that is stored by itself.
  const StoredWeight* StoredWeightOf(const TensorKey& key) const;
  /// The same where the codes are not decoded: the weight can be copied with all that belongs to
  /// it, and not computed with.
  const StoredWeight* NotDecoded(const TensorKey& key) const;
  /// The key of the moving average of a weight, where the model carries it beside the weight.
  std::optional<TensorKey> EmaOf(const TensorKey& key) const;
  bool HasComponent(std::string_view name) const { return components_.contains(name); }
  /// By name.
  const std::map<std::string_view, const ComponentAnatomy*>& components() const {
    return components_;
  }
  /// Of the part that holds the diffusion model, else of the first part.
  const Anatomy& anatomy() const;

 private:
  void AddStoredWeights();
  void AddScales(std::uint32_t part, const StoredWeight& weight);

  const Model* model_;
  std::map<TensorKey, ModelTensor> tensors_;
  std::map<std::string_view, const ComponentAnatomy*> components_;
  std::map<std::string, TensorKey> ema_;  ///< by the name in the file
  std::map<std::pair<std::uint32_t, std::uint32_t>, StoredWeight> stored_weights_;  ///< by part
};

}  // namespace weightsmith::internal
