// The places of a model's tensors: component, block, and how deep the block stands among those of
// its component.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "core/anatomy/blocks.h"
#include "merge/model_index.h"
#include "merge/places.h"

namespace weightsmith {

class PlaceTable {
 public:
  /// `architecture` is the id that lists of block weights are made for.
  explicit PlaceTable(std::string architecture) : architecture_(std::move(architecture)) {}

  /// Makes the tensor's block count for the depths.
  void Add(const ModelTensor& tensor);
  /// Numbers the blocks that were added. Without it no place has a depth.
  void NumberBlocks();

  /// REQUIRES: `tensor`, `canonical` and the table outlive the place.
  TensorPlace Of(const ModelTensor& tensor, std::string_view canonical) const;

 private:
  /// Blocks in the direction of the computation.
  using Order = std::pair<int, Block>;

  std::string architecture_;
  /// By component: its blocks, and the place of each among them.
  std::map<std::string, std::map<Order, std::size_t>, std::less<>> numbered_;
};

}  // namespace weightsmith
