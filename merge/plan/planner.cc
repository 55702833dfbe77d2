#include "merge/plan/planner.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/model/naming.h"
#include "core/model/views/component_views.h"
#include "merge/plan/planner_account.h"
#include "merge/plan/planner_files.h"

namespace weightsmith::internal {
namespace {

/// Of the first model whose architecture is known: block lists are made for it.
const Architecture* ArchitectureOf(const ExpressionIndex& index) {
  const Anatomy* anatomy = index.LeadingAnatomy();
  return anatomy != nullptr ? anatomy->architecture : nullptr;
}

}  // namespace

std::vector<NodeId> Planner::Roots(const std::vector<OutputSpec>& outputs) {
  std::vector<NodeId> roots;
  for (const OutputSpec& output : outputs) {
    roots.push_back(output.root);
    for (const auto& [component, node] : output.components) roots.push_back(node);
  }
  return roots;
}

Planner::Planner(const Expression& expression, std::vector<OutputSpec> outputs)
    : index_(expression, Roots(outputs), problems_), places_(ArchitectureOf(index_)) {
  for (const NodeId root : Roots(outputs)) {
    if (!IsStack(expression.nodes[root])) continue;
    if (!stacks_.contains(root)) stacks_.emplace(root, StackIndex(index_, root, problems_));
  }
  problems_.ThrowIfAny();
  plan_.models = expression.models;
  plan_.policies = expression.policies;
  plan_.model_keys.resize(plan_.models.size());
  plan_.adapters.resize(plan_.models.size());
  for (const auto& [model, adapter] : index_.adapters()) {
    plan_.adapters[model] = adapter.classes();
  }
  output_tensors_.resize(outputs.size());
  for (OutputSpec& output : outputs) {
    one_component_.push_back(IsOneComponent(output));
    plan_.outputs.push_back({std::move(output), {}, std::nullopt});
  }
  for (const NodeId step : index_.steps()) {
    const Node& node = expression.nodes[step];
    const bool expects = node.op->expects_effect && node.policies.effect == EffectPolicy::kError;
    plan_.steps.push_back({.name = node.name,
                           .op = std::string(node.op->name),
                           .node = step,
                           .expects_effect = expects,
                           .seed = SeedOf(node)});
  }
  for (const Model& model : plan_.models) {
    std::vector<std::uint32_t>& numbers = file_number_.emplace_back();
    for (const Model::Part& part : model.parts) {
      numbers.push_back(static_cast<std::uint32_t>(plan_.files.size()));
      const auto files = part.checkpoint->files();
      plan_.files.insert(plan_.files.end(), files.begin(), files.end());
    }
  }
}

Plan Planner::Make() && {
  CollectLacking();
  CollectTensors();
  NoteLacking();
  for (const auto& [key, tensor] : tensors_) PlanTensor(key, tensor);
  CheckRows(plan_, index_, PlacesOfWeights(), problems_);
  CheckBases(plan_, index_, problems_);
  CheckComponents();
  CheckSelections();
  CheckSteps();
  problems_.ThrowIfAny();
  NoteSelections();
  WarnOfMergedVae(plan_, index_);
  CountModelKeys(plan_, index_, tensors_, {considered_, spared_});
  FindAverages(plan_);
  for (const auto& tensors : output_tensors_) {
    plan_.coefficients.push_back(FindCoefficients(plan_, tensors));
  }
  const RunDigests blank = BlankDigests(plan_);
  for (std::uint32_t o = 0; o < plan_.outputs.size(); ++o) {
    const auto& models = index_.WeightModels(plan_.outputs[o].spec.root);
    const Anatomy* const leading =
        models.empty() ? nullptr : &index_.models()[models.front()].anatomy();
    PlaceInFiles(plan_, o, output_tensors_[o], blank, leading);
    AdjustConfiguration(o);
  }
  SortBySource(plan_.tasks);
  MakeSurveys();
  return std::move(plan_);
}

NodeId Planner::NodeFor(const OutputSpec& spec, const std::string& component) const {
  const auto replaced = spec.components.find(component);
  return replaced == spec.components.end() ? spec.root : replaced->second;
}

void Planner::CollectFrom(NodeId node, const OutputSpec& spec) {
  for (const std::uint32_t model : index_.WeightModels(node)) {
    for (const auto& [key, stored] : index_.models()[model].tensors()) {
      if (NodeFor(spec, stored.component->name) != node) continue;
      if (stored.anatomy->role == Role::kEma && plan_.policies.ema == EmaPolicy::kDrop) continue;
      if (stacks_.contains(node) && OriginsOf(spec, key).empty()) continue;
      PlannedTensor& tensor = tensors_[key];
      if (tensor.first != nullptr) continue;
      tensor.first = &stored;
      tensor.canonical = stored.anatomy->canonical;
    }
  }
}

void Planner::CollectLacking() {
  const auto diffusers = [](const OutputPlan& output) {
    return output.spec.layout == OutputLayout::kDiffusers;
  };
  if (std::ranges::none_of(plan_.outputs, diffusers)) return;
  for (const Model& model : plan_.models) {
    for (const Model::Part& part : model.parts) {
      for (const ComponentRule& rule : ComponentRules(part.anatomy)) {
        const Naming* const naming = NamingOf(rule);
        if (naming == nullptr) continue;
        for (const std::string_view name : naming->lacks) {
          lacking_.insert({rule.name, std::string(name)});
        }
      }
    }
  }
}

void Planner::NoteLacking() {
  for (const TensorKey& key : lacking_) {
    if (!tensors_.contains(key)) continue;
    plan_.notes.push_back(
        fmt::format("'{}' is left out: diffusers has no such tensor", key.tensor));
  }
}

void Planner::CollectTensors() {
  for (const OutputPlan& output : plan_.outputs) {
    CollectFrom(output.spec.root, output.spec);
    for (const auto& [component, node] : output.spec.components) CollectFrom(node, output.spec);
  }
  for (const auto& [key, tensor] : tensors_) places_.Add(*tensor.first);
  CollectStacks();
  places_.NumberBlocks();
}

void Planner::CheckComponents() {
  for (const OutputPlan& output : plan_.outputs) {
    for (const auto& [component, node] : output.spec.components) {
      if (index_.HasComponent(node, component)) continue;
      problems_.Add(fmt::format("output: 'components' takes '{}' from '{}', which has none",
                                component, index_.expression().nodes[node].name));
    }
  }
}

std::vector<TensorPlace> Planner::PlacesOfWeights() const {
  std::vector<TensorPlace> places;
  for (const auto& [key, tensor] : tensors_) {
    const TensorAnatomy& anatomy = *tensor.first->anatomy;
    if (anatomy.role != Role::kWeight && anatomy.quantised == 0) continue;
    places.push_back(places_.Of(*tensor.first, tensor.canonical));
  }
  AddPlacesOfStacks(places);
  return places;
}

/// An adapter that meets several models has to change each of them. `applied`: models of adapters
/// and the steps in which they change something.
void Planner::CheckAdapters(const Node& step, NodeId id,
                            const std::set<std::pair<std::uint32_t, std::uint32_t>>& applied) {
  for (const NodeId entry : step.list) {
    const Node& leaf = index_.expression().nodes[entry];
    if (!leaf.leaf() || muted_.contains({id, *leaf.model})) continue;
    if (applied.contains({*leaf.model, index_.StepNumber(id)})) continue;
    problems_.Add(fmt::format("step '{}': adapter '{}' changes nothing of '{}'", step.name,
                              plan_.models[*leaf.model].name,
                              index_.expression().nodes[step.operands.front()].name));
  }
}

/// A step that acts on some tensors has to select one.
void Planner::CheckSelections() {
  if (!problems_.empty()) return;  // of places that are not there, above all
  for (const NodeId id : index_.steps()) {
    const Node& step = index_.expression().nodes[id];
    if (step.op->where.empty() || selected_.contains(id)) continue;
    problems_.AddSentence(
        fmt::format("step '{}': 'where' selects no tensor of '{}'", step.name,
                    index_.expression().nodes[step.operands.front()].name),
        "A tensor has to be like every key of it; to say either of two, give a list of mappings.");
  }
}

/// How much of a model a step is for, which a regular expression does not show.
void Planner::NoteSelections() {
  for (const auto& [id, count] : selected_) {
    const Node& step = index_.expression().nodes[id];
    plan_.notes.push_back(fmt::format("step '{}' acts on {} of {} tensors", step.name,
                                      FormatCount(count), FormatCount(tensors_.size())));
  }
}

/// A step that computed tensors has to be for one of them.
void Planner::CheckConcern(const StepPlan& step, const Node& node) const {
  const bool idle = node.op->concerns != nullptr && computed_.contains(step.node) &&
                    !concerned_.contains(step.node);
  if (!idle || !step.expects_effect || !problems_.empty()) return;
  throw Error(ErrorCode::kNoEffect,
              fmt::format("step '{}' changes nothing: '{}' {}", step.name,
                          index_.expression().nodes[node.operands.front()].name, node.op->lacks),
              "Check that the right file is named. Write `policy: {effect: any}` to allow it.");
}

/// Whether a step with `where` asks the node for what it selects.
bool Planner::IsSelectedFrom(NodeId node) const {
  return std::ranges::any_of(index_.steps(), [&](NodeId id) {
    const Node& step = index_.expression().nodes[id];
    return !step.op->where.empty() && std::ranges::find(step.operands, node) != step.operands.end();
  });
}

void Planner::CheckSteps() {
  const std::vector<Node>& nodes = index_.expression().nodes;
  const std::set<std::uint32_t> probed = ProbedSteps(plan_);
  std::set<std::pair<std::uint32_t, std::uint32_t>> applied;
  for (const AppliedModule& module : plan_.applied) applied.emplace(module.model, module.step);
  for (StepPlan& step : plan_.steps) {
    const Node& node = nodes[step.node];
    if (node.op->list && node.op->list->adapters && problems_.empty()) {
      CheckAdapters(node, step.node, applied);
    }
    CheckConcern(step, node);
    step.all_weights_zero = computed_.contains(step.node) && !replaced_.contains(step.node) &&
                            !probed.contains(index_.StepNumber(step.node));
    if (computed_.contains(step.node) || node.operands.size() + node.list.size() < 2) continue;
    if (!step.expects_effect) continue;
    if (!shared_.contains(step.node) && problems_.empty()) {
      if (left_vae_.contains(step.node) && IsSelectedFrom(step.node)) {
        throw Error(ErrorCode::kMismatch,
                    fmt::format("step '{}' is asked for a VAE alone, and merges none", step.name),
                    "Name `vae` in a row of its weights, or write `vae: true` in the step where it "
                    "has no rows.");
      }
      throw Error(
          ErrorCode::kMismatch,
          fmt::format("step '{}': its operands have no tensor in common that can be merged",
                      step.name),
          index_.CopiesByDefault()
              ? "The VAE is copied and not merged, unless a row of the weights names `vae` or the "
                "step has `vae: true`."
              : "");
    }
  }
}

void SortBySource(std::vector<Task>& tasks) {
  // A task is much to move: pointers are sorted in its place.
  std::vector<Task*> order;
  for (Task& task : tasks) order.push_back(&task);
  std::ranges::sort(order, {}, [](const Task* task) {
    const Source* const first = task->sources.empty() ? nullptr : &task->sources.front();
    return std::tuple(first == nullptr ? 0 : first->file, first == nullptr ? 0 : first->offset,
                      std::string_view(task->name));
  });
  std::vector<Task> sorted;
  sorted.reserve(tasks.size());
  for (Task* const task : order) sorted.push_back(std::move(*task));
  tasks = std::move(sorted);
}

}  // namespace weightsmith::internal
