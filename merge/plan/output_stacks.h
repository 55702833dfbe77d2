// The stacks of layers that outputs are.
#pragma once

#include <map>
#include <span>
#include <vector>

#include "merge/plan/expression_index.h"
#include "merge/plan/place_table.h"
#include "merge/plan/problems.h"
#include "merge/plan/stack_index.h"

namespace weightsmith::internal {

class OutputStacks {
 public:
  /// Of the nodes that outputs are of. Reports stacks that cannot be made. REQUIRES: `index`
  /// outlives it.
  OutputStacks(const ExpressionIndex& index, std::span<const NodeId> roots, Problems& problems);

  /// Null for a node that is no stack.
  const StackIndex* Find(NodeId node) const;

  /// Makes all blocks of the stacks' models count for depths: how deep a layer stands is a matter
  /// of its model, also of layers that are left out.
  void AddTo(PlaceTable& table) const;
  /// The places of the weights of the stacks' models, of layers that they leave out as well.
  std::vector<TensorPlace> PlacesOfModels(const PlaceTable& table) const;

 private:
  const ExpressionIndex* index_;
  std::map<NodeId, StackIndex> stacks_;
};

}  // namespace weightsmith::internal
