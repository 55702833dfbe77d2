// Headers as the declarations give them, for tests that change something in them.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/anatomy.h"

namespace weightsmith::internal {

using TensorList = std::vector<CheckpointTensor>;

inline void Sort(TensorList& tensors) {
  std::sort(tensors.begin(), tensors.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
}

inline void Add(TensorList& tensors, std::string name, DType dtype, Shape shape) {
  tensors.push_back({std::move(name), {dtype, std::move(shape)}});
  Sort(tensors);
}

inline void Rename(TensorList& tensors,
                   const std::function<std::string(const std::string&)>& rename) {
  for (CheckpointTensor& tensor : tensors) tensor.name = rename(tensor.name);
  Sort(tensors);
}

inline void Remove(TensorList& tensors, std::string_view name) {
  std::erase_if(tensors, [name](const auto& tensor) { return tensor.name == name; });
}

inline CheckpointTensor& At(TensorList& tensors, std::string_view name) {
  for (CheckpointTensor& tensor : tensors) {
    if (tensor.name == name) return tensor;
  }
  throw std::out_of_range(std::string(name));
}

/// What published files of the component have, under `prefix`.
inline void AddComponent(TensorList& tensors, const ComponentRule& component,
                         std::string_view prefix) {
  for (const TensorRule& rule : component.tensors) {
    if (!rule.usual) continue;
    const DType dtype = rule.role == Role::kPositionIds ? DType::kI64 : DType::kF16;
    tensors.push_back({std::string(prefix) + rule.name, {dtype, rule.shape}});
  }
  Sort(tensors);
}

inline const ArchitectureRow& RowOf(std::string_view id, std::string_view variant,
                                    std::string_view scale) {
  for (const Architecture* architecture : Architectures()) {
    if (architecture->id != id) continue;
    for (const ArchitectureRow& row : architecture->rows) {
      if (row.variant == variant && row.scale == scale) return row;
    }
  }
  throw std::out_of_range(std::string(id));
}

/// All components of a row under their canonical prefixes.
inline TensorList Monolithic(std::string_view id, std::string_view variant = "base",
                             std::string_view scale = "tiny") {
  TensorList tensors;
  for (const ComponentRule& component : RowOf(id, variant, scale).components()) {
    AddComponent(tensors, component, component.prefixes.front());
  }
  return tensors;
}

/// The diffusion model alone, without prefix.
inline TensorList Bare(std::string_view id, std::string_view variant,
                       std::string_view scale = "tiny") {
  TensorList tensors;
  AddComponent(tensors, RowOf(id, variant, scale).components().front(), "");
  return tensors;
}

inline TensorList PartAlone(std::string_view id, std::size_t row) {
  TensorList tensors;
  for (const Part* part : Parts()) {
    if (part->id == id) AddComponent(tensors, part->rows.at(row).component(), "");
  }
  return tensors;
}

inline const TensorAnatomy& ToldOf(const Anatomy& anatomy, const TensorList& tensors,
                                   std::string_view name) {
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (tensors[i].name == name) return anatomy.tensors.at(i);
  }
  throw std::out_of_range(std::string(name));
}

}  // namespace weightsmith::internal
