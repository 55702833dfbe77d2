// The tensors of outputs while a plan is made.
#pragma once

#include <cstdint>
#include <string>

#include "merge/plan/model_index.h"

namespace weightsmith::internal {

/// A tensor that at least one output has.
struct PlannedTensor {
  std::string canonical;
  const ModelTensor* first = nullptr;  ///< of the leftmost model that has it
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
