#include "merge/plan/computed_tensors.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "merge/plan/product_draft.h"

namespace weightsmith::internal {

void ComputedTensors::Add(const PlannedTensor& tensor, std::span<const Want> wants) {
  TensorEvaluator together = draft_->EvaluatorOf(tensor);
  std::set<Shape> shapes;
  for (const Want& want : wants) {
    const TensorValue& result = together.Evaluate(want.origin.node);
    if (result.present) shapes.insert(result.shape);
  }
  if (shapes.size() <= 1) return AddTask(tensor, together, wants);
  for (const Want& want : wants) {
    TensorEvaluator alone = draft_->EvaluatorOf(tensor);
    AddTask(tensor, alone, std::span(&want, 1));
  }
}

void ComputedTensors::AddTask(const PlannedTensor& tensor, TensorEvaluator& evaluator,
                              std::span<const Want> wants) {
  std::vector<std::pair<const Want*, Value>> present;
  Shape shape;
  for (const Want& want : wants) {
    const TensorValue& result = evaluator.Evaluate(want.origin.node);
    if (!result.present) continue;
    shape = result.shape;
    present.emplace_back(&want, result.value);
    const Node& node = draft_->index.expression().nodes[want.origin.node];
    if (node.leaf()) draft_->account.considered.insert(*node.model);
  }
  draft_->account.Add(evaluator.account());
  if (present.empty()) return;

  Lowering lowering = evaluator.TakeLowering();
  ProductDraft products(*draft_, *dtypes_, tensor, evaluator, shape);
  for (const auto& [want, value] : present) products.Add(*want, value, lowering);
  const auto surveyed = lowering.surveyed().empty() ? std::nullopt : std::optional(lowering);
  Lowering::Finished finished = std::move(lowering).Finish(products.values(), products.slots());
  std::vector<Product> numbered = std::move(products).Finish(finished.results, finished.slots);
  Task task = maker_->Make(tensor, evaluator, shape, std::move(finished));
  if (surveyed) surveys_->Add(tensor, evaluator, *surveyed, task);
  task.products = std::move(numbered);

  Plan& plan = draft_->plan;
  const auto number = static_cast<std::uint32_t>(plan.tasks.size());
  for (std::uint32_t p = 0; p < present.size(); ++p) {
    const TensorInfo info{task.products[p].dtype, shape};
    outputs_->Add(*present[p].first, tensor.key, tensor.canonical, info, number, p);
  }
  plan.applied.insert(plan.applied.end(), evaluator.applied().begin(), evaluator.applied().end());
  if (Refuses(task)) return;
  plan.tasks.push_back(std::move(task));
  for (std::uint32_t p = 0; p < present.size(); ++p) {
    scales_->Add(tensor, *present[p].first, number, p);
  }
}

/// Reports a source of a task that computes, where it cannot be computed with.
bool ComputedTensors::Refuses(const Task& task) {
  if (std::ranges::all_of(task.products, IsCopy)) return false;
  for (const Source& source : task.sources) {
    const Model& model = draft_->plan.models[source.model];
    const Anatomy& anatomy = model.parts[source.part].anatomy;
    if (!Info(source.info.dtype).has_codec) {
      draft_->problems.Add(fmt::format("'{}': {} can be copied and not computed with", model.name,
                                       Info(source.info.dtype).name),
                           task.name);
      return true;
    }
    const bool quantised = !anatomy.quantization.empty() && Info(source.info.dtype).bits <= 8;
    if (quantised && !source.scale) {
      draft_->problems.AddQuantised(model.name, anatomy.quantization.front(), task.name);
      return true;
    }
  }
  return false;
}

}  // namespace weightsmith::internal
