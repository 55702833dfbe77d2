// What a stack of layers has of its models: every layer with its number there and in the result.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "merge/plan/expression_index.h"
#include "merge/plan/model_index.h"
#include "merge/plan/problems.h"

namespace weightsmith::internal {

/// Whether the node puts layers one on the other.
bool IsStack(const Node& node);

/// The number of a layer that a tensor is of; nothing for one that stands before or behind them.
std::optional<std::uint32_t> LayerOf(ComponentKind kind, const TensorKey& key);

class StackIndex {
 public:
  /// A layer of the result.
  struct Layer {
    NodeId node = 0;           ///< that it comes from, itself no stack
    std::uint32_t number = 0;  ///< that it has there
  };
  /// A place of the result where a tensor goes.
  struct Use {
    NodeId node = 0;                       ///< that it comes from
    std::optional<std::uint32_t> layer{};  ///< the number that its layer has in the result
  };

  /// Of a node that is a stack. Reports layers that its models do not have, and of models of
  /// different widths.
  StackIndex(const ExpressionIndex& index, NodeId stack, Problems& problems);

  /// In their order.
  const std::vector<Layer>& layers() const { return layers_; }
  /// Where a tensor of the models goes, by its key in them; nothing where it goes nowhere.
  std::vector<Use> UsesOf(ComponentKind kind, const TensorKey& key) const;

 private:
  const std::vector<Layer>& LayersOf(const ExpressionIndex& index, NodeId node, Problems& problems);
  std::vector<Layer> Stacked(const ExpressionIndex& index, NodeId stack, Problems& problems);

  std::map<NodeId, std::vector<Layer>> known_;  ///< of nodes that were asked for
  std::vector<Layer> layers_;
  NodeId embed_ = 0;  ///< gives what stands before the layers
  NodeId head_ = 0;   ///< behind them
};

}  // namespace weightsmith::internal
