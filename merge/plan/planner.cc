#include "merge/plan/planner.h"

#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <utility>

#include "core/model/blocks.h"
#include "merge/plan/planner_account.h"
#include "merge/plan/planner_files.h"
#include "merge/plan/stack_configuration.h"
#include "merge/plan/step_checker.h"
#include "merge/plan/task_order.h"

namespace weightsmith::internal {
namespace {

/// The stacks of a draft's outputs. Throws what is wrong with models and stacks as a whole: it
/// would be wrong with every tensor.
OutputStacks StacksOf(PlanDraft& draft) {
  std::vector<OutputSpec> outputs;
  for (const OutputPlan& output : draft.plan.outputs) outputs.push_back(output.spec);
  OutputStacks stacks(draft.index, RootsOf(outputs), draft.problems);
  draft.problems.ThrowIfAny();
  return stacks;
}

/// Whether the tensor is numbers that steps act on, and no setting, index or count.
bool IsComputedWith(const PlannedTensor& tensor) {
  return tensor.first->anatomy->role == Role::kWeight &&
         Info(tensor.first->stored->info.dtype).kind == DTypeKind::kFloat;
}

}  // namespace

Planner::Planner(const Expression& expression, std::vector<OutputSpec> outputs)
    : draft_(expression, std::move(outputs)),
      stacks_(StacksOf(draft_)),
      wanted_(draft_.plan, draft_.index, stacks_),
      maker_(draft_.index),
      dtypes_(draft_, wanted_.all()),
      outputs_(draft_.plan, draft_.index),
      surveys_(maker_),
      copied_(draft_, maker_, dtypes_, outputs_),
      coded_(draft_, copied_),
      scales_(draft_, dtypes_, outputs_, copied_),
      computed_(draft_, maker_, dtypes_, outputs_, scales_, surveys_) {}

Plan Planner::Make() && {
  Plan& plan = draft_.plan;
  plan.notes = wanted_.NotesOfLacking();
  FillPlaces();
  for (const auto& [key, tensor] : wanted_.all()) PlanTensor(tensor);
  CheckRows(plan, draft_.index, PlacesOfWeights(), draft_.problems);
  CheckBases(plan, draft_.index, draft_.problems);
  CheckComponents();
  StepChecker steps(draft_);
  steps.Check();
  draft_.problems.ThrowIfAny();
  steps.NoteSelections(wanted_.all().size());
  WarnOfMergedVae(plan, draft_.index);
  CountModelKeys(plan, draft_.index, wanted_.all(),
                 {draft_.account.considered, draft_.account.spared});
  FindAverages(plan);
  for (const auto& tensors : outputs_.all()) {
    plan.coefficients.push_back(FindCoefficients(plan, tensors));
  }
  PlaceOutputs();
  SortBySource(plan.tasks);
  std::move(surveys_).MoveInto(plan);
  return std::move(plan);
}

/// Makes the table of places whole, which is asked of every tensor.
void Planner::FillPlaces() {
  for (const auto& [key, tensor] : wanted_.all()) draft_.places.Add(*tensor.first);
  stacks_.AddTo(draft_.places);
  draft_.places.NumberBlocks();
}

void Planner::PlanTensor(const PlannedTensor& tensor) {
  // The scale of a weight is planned with it.
  const auto is_scale = [&](const ModelIndex& model) {
    const ModelTensor* const found = model.Find(tensor.key);
    return found != nullptr && found->joined;
  };
  if (std::ranges::any_of(draft_.index.models(), is_scale)) return;
  std::vector<Want> wants = wanted_.WantsOf(tensor.key);
  if (coded_.Has(tensor.key)) {
    wants = coded_.Add(tensor, wants);
    if (wants.empty()) return;
  }
  if (IsComputedWith(tensor)) {
    computed_.Add(tensor, wants);
  } else {
    copied_.Add(tensor, wants);
  }
}

/// The places that rows may name. In a stack, rows of steps may speak of layers that it leaves out,
/// those of its output of numbers that no model has.
std::vector<TensorPlace> Planner::PlacesOfWeights() const {
  std::vector<TensorPlace> places;
  for (const auto& [key, tensor] : wanted_.all()) {
    const TensorAnatomy& anatomy = *tensor.first->anatomy;
    if (anatomy.role != Role::kWeight && anatomy.quantised == 0) continue;
    places.push_back(draft_.PlaceOf(tensor));
  }
  const std::vector<TensorPlace> stacked = stacks_.PlacesOfModels(draft_.places);
  places.insert(places.end(), stacked.begin(), stacked.end());
  for (std::size_t o = 0; o < outputs_.all().size(); ++o) {
    if (stacks_.Find(draft_.plan.outputs[o].spec.root) == nullptr) continue;
    for (const OutputTensor& tensor : outputs_.all()[o]) {
      TensorPlace place{tensor.canonical, tensor.component, ComponentKind::kBackbone};
      place.block = BlockOf(place.kind, tensor.local);
      if (place.block.family == "layer") places.push_back(place);
    }
  }
  return places;
}

void Planner::CheckComponents() {
  for (const OutputPlan& output : draft_.plan.outputs) {
    for (const auto& [component, node] : output.spec.components) {
      if (draft_.index.HasComponent(node, component)) continue;
      draft_.problems.Add(fmt::format("output: 'components' takes '{}' from '{}', which has none",
                                      component, draft_.index.expression().nodes[node].name));
    }
  }
}

/// Gives what outputs have its places in files.
void Planner::PlaceOutputs() {
  Plan& plan = draft_.plan;
  const RunDigests blank = BlankDigests(plan);
  for (std::uint32_t o = 0; o < plan.outputs.size(); ++o) {
    const NodeId root = plan.outputs[o].spec.root;
    const auto& models = draft_.index.WeightModels(root);
    const Anatomy* const leading =
        models.empty() ? nullptr : &draft_.index.models()[models.front()].anatomy();
    PlaceInFiles(plan, o, outputs_.all()[o], blank, leading);
    const StackIndex* const stack = stacks_.Find(root);
    if (stack != nullptr) ConfigureLayers(plan, o, draft_.index, *stack);
  }
}

}  // namespace weightsmith::internal
