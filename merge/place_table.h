// The places of a model's tensors: component, block, and how deep the block stands among those of
// its component.
#pragma once

#include <map>
#include <set>
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

  /// REQUIRES: `tensor`, `canonical` and the table outlive the place.
  TensorPlace Of(const ModelTensor& tensor, std::string_view canonical) const;

 private:
  /// Blocks in the direction of the computation.
  using Order = std::pair<int, Block>;

  std::string architecture_;
  std::map<std::string, std::set<Order>, std::less<>> numbered_;  ///< by component
};

}  // namespace weightsmith
