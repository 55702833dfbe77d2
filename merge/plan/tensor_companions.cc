#include "merge/plan/tensor_companions.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "core/tensor/dtype.h"

namespace weightsmith::internal {

/// Whether the operands have tensors beside this one that can be read: those of models.
bool TensorCompanions::AreReadable(const Node& step, std::span<const TensorOperand> operands) {
  for (const TensorOperand& operand : operands) {
    const Node& node = tape_->NodeOf(operand.node);
    if (node.leaf() && !tape_->index.IsAdapter(node)) continue;
    tape_->problems.Add(fmt::format("step '{}': {} compares tensors with others of their block, "
                                    "and '{}' is no model",
                                    step.name, step.op->name, node.name),
                        tape_->canonical, "Write it to a file first, and read that.");
    return false;
  }
  return true;
}

std::uint64_t TensorCompanions::HeadSizeOf(const Node& step,
                                           std::span<const TensorOperand> operands) const {
  if (step.op->companions == nullptr || operands.empty()) return 0;
  const Node& first = tape_->NodeOf(operands.front().node);
  if (!first.leaf() || tape_->index.IsAdapter(first)) return 0;
  return tape_->index.models()[*first.model].anatomy().head_size;
}

std::vector<Companion> TensorCompanions::Of(const Node& step,
                                            std::span<const TensorOperand> operands) {
  if (step.op->companions == nullptr) return {};
  const std::vector<std::string> names = step.op->companions(tape_->key.tensor);
  if (names.empty() || !AreReadable(step, operands)) return {};
  const std::vector<ModelIndex>& models = tape_->index.models();
  const auto model_of = [&](const TensorOperand& operand) {
    return *tape_->NodeOf(operand.node).model;
  };
  std::vector<Companion> companions;
  for (const TensorOperand& operand : operands) {
    const std::uint32_t model = model_of(operand);
    for (const std::string& name : names) {
      const TensorKey key{tape_->key.component, name};
      const auto has = [&](const TensorOperand& other) {
        return models[model_of(other)].Find(key) != nullptr;
      };
      if (!std::ranges::all_of(operands, has)) continue;
      const TensorInfo& info = models[model].Find(key)->stored->info;
      if (!Info(info.dtype).has_codec || models[model].StoredWeightOf(key) != nullptr) {
        tape_->AddQuantised({operand.node});
        return {};
      }
      const CompanionSource source{model, key};
      auto known = std::ranges::find(sources_, source);
      if (known == sources_.end()) known = sources_.insert(known, source);
      companions.push_back(
          {name, info.shape, static_cast<CompanionIndex>(known - sources_.begin())});
    }
  }
  return companions;
}

}  // namespace weightsmith::internal
