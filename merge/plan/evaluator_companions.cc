// Tensors of other names that an operator reads beside the one at hand.
#include <fmt/format.h>

#include <algorithm>

#include "core/tensor/dtype.h"
#include "merge/plan/evaluator.h"

namespace weightsmith::internal {

/// Whether the operands have tensors beside this one that can be read: those of models.
bool TensorEvaluator::MayHaveCompanions(const Node& step, std::span<const NodeId> operands) {
  for (const NodeId operand : operands) {
    const Node& node = index_->expression().nodes[operand];
    if (node.leaf() && !IsAdapter(node)) continue;
    problems_->Add(fmt::format("step '{}': {} compares tensors with others of their block, and "
                               "'{}' is no model",
                               step.name, step.op->name, node.name),
                   *canonical_, "Write it to a file first, and read that.");
    return false;
  }
  return true;
}

std::uint64_t TensorEvaluator::HeadSizeOf(const Node& step,
                                          std::span<const NodeId> operands) const {
  if (step.op->companions == nullptr || operands.empty()) return 0;
  const Node& first = index_->expression().nodes[operands.front()];
  return first.leaf() && !IsAdapter(first) ? index_->models()[*first.model].anatomy().head_size : 0;
}

std::vector<Companion> TensorEvaluator::CompanionsOf(const Node& step,
                                                     std::span<const NodeId> operands) {
  if (step.op->companions == nullptr) return {};
  const std::vector<std::string> names = step.op->companions(key_->tensor);
  if (names.empty() || !MayHaveCompanions(step, operands)) return {};
  std::vector<Companion> companions;
  for (const NodeId operand : operands) {
    const std::uint32_t model = *index_->expression().nodes[operand].model;
    const ModelIndex& tensors = index_->models()[model];
    for (const std::string& name : names) {
      const TensorKey key{key_->component, name};
      const auto has = [&](NodeId other) {
        return index_->models()[*index_->expression().nodes[other].model].Find(key) != nullptr;
      };
      if (!std::ranges::all_of(operands, has)) continue;
      const TensorInfo& info = tensors.Find(key)->stored->info;
      if (!Info(info.dtype).has_codec || tensors.StoredWeightOf(key) != nullptr) {
        AddQuantised({operand});
        return {};
      }
      const CompanionSource source{model, key};
      auto known = std::ranges::find(companions_, source);
      if (known == companions_.end()) known = companions_.insert(known, source);
      companions.push_back(
          {name, info.shape, static_cast<CompanionIndex>(known - companions_.begin())});
    }
  }
  return companions;
}

}  // namespace weightsmith::internal
