// The places of a model's tensors: component, block, and how deep the block stands among those of
// its component.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "core/model/architecture.h"
#include "core/model/blocks.h"
#include "merge/expression/places.h"
#include "merge/plan/model_index.h"

namespace weightsmith::internal {

class PlaceTable {
 public:
  /// Of an architecture, or null where it is not known.
  explicit PlaceTable(const Architecture* architecture) : architecture_(architecture) {}

  /// Makes the tensor's block count for the depths. REQUIRES: of every tensor before Of().
  void Add(const ModelTensor& tensor);
  /// Numbers the blocks that were added. Without it no place has a depth.
  void NumberBlocks();

  /// REQUIRES: `tensor`, `canonical` and the table outlive the place.
  TensorPlace Of(const ModelTensor& tensor, std::string_view canonical) const;

 private:
  /// Blocks in the direction of the computation.
  using Order = std::pair<int, Block>;

  const Architecture* architecture_;
  std::map<std::string, std::uint32_t, std::less<>> text_encoders_;  ///< their numbers, by name
  /// By component: its blocks, and the place of each among them.
  std::map<std::string, std::map<Order, std::size_t>, std::less<>> numbered_;
};

}  // namespace weightsmith::internal
