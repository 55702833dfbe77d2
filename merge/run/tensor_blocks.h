// The block of every tensor of a model, by which weights may vary.
#pragma once

#include <string>
#include <vector>

#include "merge/expression/expression.h"

namespace weightsmith::internal {

struct TensorBlock {
  std::string name;   ///< as the file has it
  std::string block;  ///< "unet.in.3", as rows of weights may name it
  std::string place;  ///< of a list in the community's order: "IN03"; empty: none
};

/// Of all tensors that are weights, in the direction of the computation: components as they come,
/// blocks by depth.
std::vector<TensorBlock> BlocksOfTensors(const Model& model);

}  // namespace weightsmith::internal
