// What the modules of a model are called in adapters: every name that trainers may write, made
// forward from the model's own tensors, because flattened names cannot be taken apart again.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/formats/checkpoint.h"
#include "core/model/anatomy.h"
#include "core/tensor/row_map.h"

namespace weightsmith::internal {

/// A dotted path as trainers flatten it: "down_blocks_0_resnets_0_conv1".
std::string FlatName(std::string_view path);

/// Rows of a module as its name means it, and the rows of a tensor of the model that they are.
struct AliasPiece {
  std::uint32_t tensor = 0;  ///< its number among those that the table was made of
  RowMap rows = {};
  bool transposed = false;  ///< of all: [a, b] there is [b, a] here

  bool operator==(const AliasPiece&) const = default;
};

/// A module under one of its names.
struct AliasedModule {
  std::vector<AliasPiece> weight;  ///< a linear layer's, a convolution's, a norm's, an embedding's
  std::vector<AliasPiece> bias;

  bool operator==(const AliasedModule&) const = default;
};

/// A weight of the model as aliases are made of it.
struct AliasedTensor {
  std::string component;  ///< "unet"
  ComponentKind kind = ComponentKind::kOther;
  std::string local;         ///< its name inside the component
  std::uint32_t number = 0;  ///< what pieces call it
};

class AliasTable {
 public:
  /// `rules` are the declarations of the model's components, whether the tensors have them all or
  /// not; none for an unknown model.
  AliasTable(std::span<const AliasedTensor> tensors, std::span<const ComponentRule> rules);
  /// Of a checkpoint, pieces by the index of its tensors. REQUIRES: the anatomy of a checkpoint
  /// with these tensors.
  AliasTable(const Anatomy& anatomy, std::span<const CheckpointTensor> tensors);

  /// By the stem of an adapter, as the file has it; null where no module is called so.
  const AliasedModule* Find(std::string_view stem) const;

  const std::unordered_map<std::string, AliasedModule>& modules() const { return modules_; }
  /// Names that mean two different modules, and so neither: none, in models that are declared.
  const std::vector<std::string>& ambiguous() const { return ambiguous_; }

 private:
  std::unordered_map<std::string, AliasedModule> modules_;
  std::vector<std::string> ambiguous_;
};

}  // namespace weightsmith::internal
