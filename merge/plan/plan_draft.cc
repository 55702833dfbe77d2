#include "merge/plan/plan_draft.h"

#include <string>
#include <utility>

namespace weightsmith::internal {
namespace {

/// Of the first model whose architecture is known: block lists are made for it.
const Architecture* ArchitectureOf(const ExpressionIndex& index) {
  const Anatomy* anatomy = index.LeadingAnatomy();
  return anatomy != nullptr ? anatomy->architecture : nullptr;
}

std::vector<StepPlan> StepPlansOf(const ExpressionIndex& index) {
  std::vector<StepPlan> steps;
  for (const NodeId step : index.steps()) {
    const Node& node = index.expression().nodes[step];
    const bool expects = node.op->expects_effect && node.policies.effect == EffectPolicy::kError;
    steps.push_back({.name = node.name,
                     .op = std::string(node.op->name),
                     .node = step,
                     .expects_effect = expects,
                     .seed = SeedOf(node)});
  }
  return steps;
}

}  // namespace

std::vector<NodeId> RootsOf(const std::vector<OutputSpec>& outputs) {
  std::vector<NodeId> roots;
  for (const OutputSpec& output : outputs) {
    roots.push_back(output.root);
    for (const auto& [component, node] : output.components) roots.push_back(node);
  }
  return roots;
}

PlanDraft::PlanDraft(const Expression& expression, std::vector<OutputSpec> outputs)
    : index(expression, RootsOf(outputs), problems), places(ArchitectureOf(index)) {
  plan.models = expression.models;
  plan.policies = expression.policies;
  plan.model_keys.resize(plan.models.size());
  plan.adapters.resize(plan.models.size());
  for (const auto& [model, adapter] : index.adapters()) plan.adapters[model] = adapter.classes();
  for (OutputSpec& output : outputs) plan.outputs.push_back({std::move(output), {}, std::nullopt});
  plan.steps = StepPlansOf(index);
  for (const Model& model : plan.models) {
    for (const Model::Part& part : model.parts) {
      const auto files = part.checkpoint->files();
      plan.files.insert(plan.files.end(), files.begin(), files.end());
    }
  }
}

TensorEvaluator PlanDraft::EvaluatorOf(const PlannedTensor& tensor) {
  return TensorEvaluator(index, tensor.key, tensor.canonical, PlaceOf(tensor), problems,
                         plan.applied.size());
}

}  // namespace weightsmith::internal
