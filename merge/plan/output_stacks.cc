#include "merge/plan/output_stacks.h"

namespace weightsmith::internal {

OutputStacks::OutputStacks(const ExpressionIndex& index, std::span<const NodeId> roots,
                           Problems& problems)
    : index_(&index) {
  for (const NodeId root : roots) {
    if (!IsStack(index.expression().nodes[root]) || stacks_.contains(root)) continue;
    stacks_.emplace(root, StackIndex(index, root, problems));
  }
}

const StackIndex* OutputStacks::Find(NodeId node) const {
  const auto stack = stacks_.find(node);
  return stack == stacks_.end() ? nullptr : &stack->second;
}

void OutputStacks::AddTo(PlaceTable& table) const {
  for (const auto& [node, stack] : stacks_) {
    for (const std::uint32_t model : index_->WeightModels(node)) {
      for (const auto& [key, tensor] : index_->models()[model].tensors()) table.Add(tensor);
    }
  }
}

std::vector<TensorPlace> OutputStacks::PlacesOfModels(const PlaceTable& table) const {
  std::vector<TensorPlace> places;
  for (const auto& [node, stack] : stacks_) {
    for (const std::uint32_t model : index_->WeightModels(node)) {
      for (const auto& [key, tensor] : index_->models()[model].tensors()) {
        if (tensor.anatomy->role != Role::kWeight) continue;
        places.push_back(table.Of(tensor, tensor.anatomy->canonical));
      }
    }
  }
  return places;
}

}  // namespace weightsmith::internal
