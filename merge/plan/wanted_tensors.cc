#include "merge/plan/wanted_tensors.h"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/model/naming.h"
#include "core/model/views/component_views.h"

namespace weightsmith::internal {
namespace {

/// The node that an output takes a component from.
NodeId NodeFor(const OutputSpec& spec, const std::string& component) {
  const auto replaced = spec.components.find(component);
  return replaced == spec.components.end() ? spec.root : replaced->second;
}

}  // namespace

WantedTensors::WantedTensors(const Plan& plan, const ExpressionIndex& index,
                             const OutputStacks& stacks)
    : plan_(&plan), index_(&index), stacks_(&stacks) {
  CollectLacking();
  for (const OutputPlan& output : plan.outputs) {
    CollectFrom(output.spec.root, output.spec);
    for (const auto& [component, node] : output.spec.components) CollectFrom(node, output.spec);
  }
}

void WantedTensors::CollectLacking() {
  const auto diffusers = [](const OutputPlan& output) {
    return output.spec.layout == OutputLayout::kDiffusers;
  };
  if (std::ranges::none_of(plan_->outputs, diffusers)) return;
  for (const Model& model : plan_->models) {
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

void WantedTensors::CollectFrom(NodeId node, const OutputSpec& spec) {
  for (const std::uint32_t model : index_->WeightModels(node)) {
    for (const auto& [key, stored] : index_->models()[model].tensors()) {
      if (NodeFor(spec, stored.component->name) != node) continue;
      if (stored.anatomy->role == Role::kEma && plan_->policies.ema == EmaPolicy::kDrop) continue;
      if (stacks_->Find(node) != nullptr && OriginsOf(spec, key).empty()) continue;
      PlannedTensor& tensor = tensors_[key];
      if (tensor.first != nullptr) continue;
      tensor = {.key = key, .canonical = stored.anatomy->canonical, .first = &stored};
    }
  }
}

std::optional<Origin> WantedTensors::OriginIn(NodeId node, const TensorKey& key) const {
  Origin origin{node, {}};
  for (const std::uint32_t model : index_->WeightModels(node)) {
    if (index_->models()[model].Find(key) != nullptr) origin.models.push_back(model);
  }
  if (origin.models.empty()) return std::nullopt;
  return origin;
}

std::vector<Origin> WantedTensors::OriginsOf(const OutputSpec& spec, const TensorKey& key) const {
  if (spec.layout == OutputLayout::kDiffusers && lacking_.contains(key)) return {};
  const NodeId node = NodeFor(spec, key.component);
  std::optional<Origin> whole = OriginIn(node, key);
  if (!whole) return {};
  const StackIndex* const stack = stacks_->Find(node);
  if (stack == nullptr) return {*std::move(whole)};
  std::vector<Origin> origins;
  const ComponentKind kind = index_->TensorOf(whole->models.front(), key).component->kind;
  for (const StackIndex::Use& use : stack->UsesOf(kind, key)) {
    std::optional<Origin> origin = OriginIn(use.node, key);
    if (!origin) continue;
    origin->layer = use.layer;
    origins.push_back(*std::move(origin));
  }
  return origins;
}

std::vector<Want> WantedTensors::WantsOf(const TensorKey& key) const {
  std::vector<Want> wants;
  for (std::uint32_t o = 0; o < plan_->outputs.size(); ++o) {
    for (Origin& origin : OriginsOf(plan_->outputs[o].spec, key)) {
      wants.push_back({o, std::move(origin)});
    }
  }
  return wants;
}

std::vector<std::string> WantedTensors::NotesOfLacking() const {
  std::vector<std::string> notes;
  for (const TensorKey& key : lacking_) {
    if (!tensors_.contains(key)) continue;
    notes.push_back(fmt::format("'{}' is left out: diffusers has no such tensor", key.tensor));
  }
  return notes;
}

}  // namespace weightsmith::internal
