#include "merge/plan/model_index.h"

#include <fmt/core.h>

#include "core/base/error.h"

namespace weightsmith::internal {

std::string ToString(const TensorKey& key) {
  return key.component + "/" + key.tensor;
}

ModelIndex::ModelIndex(const Model& model) : model_(&model) {
  if (model.adapter != nullptr) return;  // its tensors are no model's
  for (std::uint32_t p = 0; p < model.parts.size(); ++p) {
    const Model::Part& part = model.parts[p];
    const std::span<const CheckpointTensor> stored = part.checkpoint->tensors();
    for (std::uint32_t t = 0; t < stored.size(); ++t) {
      const TensorAnatomy& anatomy = part.anatomy.tensors[t];
      const ComponentAnatomy& component = part.anatomy.components[anatomy.component];
      if (part.component && *part.component != component.name) continue;
      const auto [place, added] =
          tensors_.try_emplace(TensorKey{component.name, anatomy.local},
                               ModelTensor{p, t, &stored[t], &anatomy, &component});
      if (!added) {
        throw Error(ErrorCode::kMismatch,
                    fmt::format("model '{}' has tensor '{}' twice: as '{}' and as '{}'", model.name,
                                ToString(place->first), place->second.stored->name, stored[t].name),
                    "Name the component that each file is taken for, such as {transformer: FILE}.");
      }
      components_.emplace(component.name, &component);
      if (anatomy.role == Role::kEma) ema_.emplace(anatomy.canonical, place->first);
    }
  }
  AddStoredWeights();
}

std::optional<Grid> CellsOf(const ModelTensor& tensor, const Shape& shape) {
  return tensor.scales ? tensor.scales->CellsOf(shape) : std::nullopt;
}

std::string InWords(const StoredWeight& weight) {
  return fmt::format("'{}' is stored with '{}'", weight.codes, weight.companion);
}

void ModelIndex::AddStoredWeights() {
  for (const auto& [key, tensor] : tensors_) {
    const std::uint32_t number = tensor.anatomy->quantised;
    if (number == 0) continue;
    const Model::Part& part = model_->parts[tensor.part];
    const QuantisedWeight& weight = part.anatomy.quantised[number - 1];
    StoredWeight& stored = stored_weights_[{tensor.part, number}];
    const bool leading = tensor.tensor == weight.codes.front();
    stored.keys.insert(leading ? stored.keys.begin() : stored.keys.end(), key);
    if (!leading) continue;
    stored.codes = tensor.stored->name;
    stored.companion = part.checkpoint->tensors()[weight.companions.front()].name;
  }
  for (const auto& [place, stored] : stored_weights_) AddScales(place.first, stored);
}

/// Joins codes with their scales, unless the component that the part is taken for lacks either.
void ModelIndex::AddScales(std::uint32_t part, const StoredWeight& weight) {
  const Model::Part& of = model_->parts[part];
  ModelTensor& codes = tensors_.at(weight.keys.front());
  const auto scales = ScalesOf(of.checkpoint->tensors(), of.anatomy, codes.tensor);
  if (!scales) return;
  for (const TensorKey& key : weight.keys) {
    ModelTensor& tensor = tensors_.at(key);
    if (tensor.stored != scales->tensor) continue;
    codes.scales = JoinedScales{*scales, key};
    tensor.joined = true;
  }
}

const StoredWeight* ModelIndex::StoredWeightOf(const TensorKey& key) const {
  const ModelTensor* tensor = Find(key);
  if (tensor == nullptr || tensor->anatomy->quantised == 0) return nullptr;
  return &stored_weights_.at({tensor->part, tensor->anatomy->quantised});
}

const StoredWeight* ModelIndex::NotDecoded(const TensorKey& key) const {
  const StoredWeight* const stored = StoredWeightOf(key);
  if (stored == nullptr || Find(stored->keys.front())->scales) return nullptr;
  return Find(key)->anatomy->role == Role::kEma ? nullptr : stored;
}

std::optional<TensorKey> ModelIndex::EmaOf(const TensorKey& key) const {
  constexpr std::string_view kModel = "model.";
  const ModelTensor* const tensor = Find(key);
  if (ema_.empty() || tensor == nullptr) return std::nullopt;
  // "model.diffusion_model.out.0.weight" is averaged in "model_ema.diffusion_modelout0weight".
  const std::string& weight = tensor->anatomy->canonical;
  if (!weight.starts_with(kModel)) return std::nullopt;
  std::string name = weight.substr(kModel.size());
  std::erase(name, '.');
  const auto found = ema_.find("model_ema." + name);
  return found == ema_.end() ? std::nullopt : std::optional(found->second);
}

const ModelTensor* ModelIndex::Find(const TensorKey& key) const {
  const auto found = tensors_.find(key);
  return found == tensors_.end() ? nullptr : &found->second;
}

const Anatomy& ModelIndex::anatomy() const {
  for (const Model::Part& part : model_->parts) {
    for (const ComponentAnatomy& component : part.anatomy.components) {
      if (component.kind == ComponentKind::kBackbone) return part.anatomy;
    }
  }
  return model_->parts.front().anatomy;
}

}  // namespace weightsmith::internal
