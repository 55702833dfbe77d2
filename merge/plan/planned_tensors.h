// The tensors of outputs while a plan is made.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "merge/plan/model_index.h"

namespace weightsmith::internal {

/// A tensor that at least one output has.
struct PlannedTensor {
  TensorKey key;
  std::string canonical;
  const ModelTensor* first = nullptr;  ///< of the leftmost model that has it
};

/// What an output takes a tensor from.
struct Origin {
  NodeId node = 0;
  std::vector<std::uint32_t> models;  ///< weight models that have the tensor, leftmost first
  /// Of a stack's layer: the number that it has in the output.
  std::optional<std::uint32_t> layer{};
};

/// An output that has a tensor, once for each place where it has it.
struct Want {
  std::uint32_t output = 0;
  Origin origin;

  /// A name of the tensor, with the number that its layer has in the output.
  std::string NameIn(const std::string& name) const;
  /// The same place, where a tensor of one model goes unchanged.
  Want CopiedFrom(std::uint32_t model) const;
};

/// One tensor of one output, before its place in a file is known.
struct OutputTensor {
  std::string name;  ///< in a file of the layout keep
  std::string canonical;
  std::string local;  ///< inside the component
  std::string component;
  TensorInfo info;
  std::uint32_t task = 0;
  std::uint32_t product = 0;
};

}  // namespace weightsmith::internal
