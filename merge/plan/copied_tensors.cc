#include "merge/plan/copied_tensors.h"

#include <algorithm>
#include <utility>

#include "core/tensor/encoding.h"

namespace weightsmith::internal {

void CopiedTensors::Add(const PlannedTensor& tensor, std::span<const Want> wants) {
  CountIntegers(tensor);
  for (const Want& want : wants) {
    const std::vector<std::uint32_t>& copied = draft_->index.CopiedModels(want.origin.node);
    const auto has = [&](std::uint32_t each) {
      return std::ranges::find(copied, each) != copied.end();
    };
    const auto model = std::ranges::find_if(want.origin.models, has);
    if (model == want.origin.models.end() || LeavesOut(tensor.key, *model, want)) continue;
    draft_->account.considered.insert(*model);
    Copy(tensor.key, tensor.canonical, *model, want);
  }
}

/// Whether the output has no use for what the model says by the tensor: how a model predicts is
/// said by the leftmost one alone, and how it is encoded where it stays so.
bool CopiedTensors::LeavesOut(const TensorKey& key, std::uint32_t model, const Want& want) {
  const bool leftmost = model == draft_->index.WeightModels(want.origin.node).front();
  if (draft_->index.TensorOf(model, key).anatomy->role == Role::kMarker && !leftmost) return true;
  return IsEncodingMark(key.tensor) && (!leftmost || !dtypes_->KeepsScaled(want.output, model));
}

/// A weight in integers that says nothing of a scale: steps that have it in every operand should
/// have changed it.
void CopiedTensors::CountIntegers(const PlannedTensor& tensor) {
  const TensorInfo& info = tensor.first->stored->info;
  const Role role = tensor.first->anatomy->role;
  const bool weight = role == Role::kBuffer || role == Role::kQuantization;
  if (!weight || !tensor.key.tensor.ends_with("weight") || info.shape.size() < 2) return;
  const auto has = [&](NodeId operand) {
    return std::ranges::any_of(draft_->index.WeightModels(operand), [&](std::uint32_t model) {
      return draft_->index.models()[model].Find(tensor.key) != nullptr;
    });
  };
  for (StepPlan& step : draft_->plan.steps) {
    const Node& node = draft_->index.expression().nodes[step.node];
    const bool adapters = node.op->list && node.op->list->adapters;
    const bool several = node.operands.size() + node.list.size() > 1;
    if (adapters || !several || !node.op->expects_effect || node.kind != Kind::kWeight) continue;
    if (!std::ranges::all_of(node.operands, has) || !std::ranges::all_of(node.list, has)) continue;
    ++step.integers;
  }
}

void CopiedTensors::Copy(const TensorKey& key, const std::string& canonical, std::uint32_t model,
                         const Want& want) {
  const auto number = static_cast<std::uint32_t>(draft_->plan.tasks.size());
  draft_->plan.tasks.push_back(maker_->MakeCopy(key, canonical, model));
  outputs_->Add(want.CopiedFrom(model), key, canonical,
                draft_->index.TensorOf(model, key).stored->info, number, 0);
}

}  // namespace weightsmith::internal
