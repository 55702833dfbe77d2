#include "recipes/parser/splice.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace weightsmith::internal {
namespace {

/// Whether one file can have all these hashes.
bool Agree(const std::vector<HashPin>& a, const std::vector<HashPin>& b) {
  return std::ranges::none_of(a, [&](const HashPin& x) {
    return std::ranges::any_of(
        b, [&](const HashPin& y) { return x.kind == y.kind && x.digits != y.digits; });
  });
}

bool SameFiles(const RecipeModel& a, const RecipeModel& b) {
  if (a.adapter != b.adapter || a.peft_name != b.peft_name ||
      a.allow_unmatched != b.allow_unmatched) {
    return false;
  }
  const auto same = [](const RecipeModel::Part& x, const RecipeModel::Part& y) {
    if (!x.file.path || !y.file.path || !Agree(x.file.pins, y.file.pins)) return false;
    return x.component == y.component &&
           x.file.path->lexically_normal() == y.file.path->lexically_normal();
  };
  return std::ranges::equal(a.parts, b.parts, same);
}

/// The leaf of `outer` that reads the same files; its pins join those that it has.
std::optional<NodeId> FindLeaf(Recipe& outer, const RecipeModel& model) {
  for (NodeId id = 0; id < outer.nodes.size(); ++id) {
    const auto& leaf = outer.nodes[id].node.model;
    if (!leaf || !SameFiles(outer.models[*leaf], model)) continue;
    for (std::size_t part = 0; part < model.parts.size(); ++part) {
      auto& pins = outer.models[*leaf].parts[part].file.pins;
      for (const HashPin& pin : model.parts[part].file.pins) {
        if (std::ranges::find(pins, pin) == pins.end()) pins.push_back(pin);
      }
    }
    return id;
  }
  return std::nullopt;
}

/// A component that comes from another node is a weighted sum whose weight is 1 there and 0
/// elsewhere: the bytes of one and of the other.
NodeId ReplaceComponent(const std::string& name, const std::string& component, NodeId base,
                        NodeId replacement, const SourcePlace& place, Recipe& outer) {
  std::string problem;
  std::vector<PlaceRow<double>> rows{{*Selector::Parse("default", problem), 0.0},
                                     {*Selector::Parse(component, problem), 1.0}};
  RecipeNode node;
  node.place = place;
  node.node.name = fmt::format("{}.{}", name, component);
  node.node.op = FindOperator("weighted_sum");
  node.node.operands = {base, replacement};
  node.node.parameters = {Weights(std::move(rows))};
  node.node.policies = outer.policies;
  node.node.policies.effect = EffectPolicy::kAny;
  outer.nodes.push_back(std::move(node));
  return static_cast<NodeId>(outer.nodes.size() - 1);
}

}  // namespace

NodeId SpliceRecipe(const std::string& name, const Recipe& inner, Recipe& outer) {
  Recipe one = inner;
  one.outputs.resize(1);
  one = WithoutUnused(one);
  std::vector<NodeId> numbers;
  for (RecipeNode& copy : one.nodes) {
    Node& node = copy.node;
    if (node.model) {
      RecipeModel& model = one.models[*node.model];
      if (const auto shared = FindLeaf(outer, model)) {
        numbers.push_back(*shared);
        continue;
      }
      model.name = fmt::format("{}.{}", name, model.name);
      outer.models.push_back(model);
      node.model = static_cast<std::uint32_t>(outer.models.size() - 1);
    }
    for (NodeId& operand : node.operands) operand = numbers[operand];
    for (NodeId& entry : node.list) entry = numbers[entry];
    node.name = fmt::format("{}.{}", name, node.name);
    numbers.push_back(static_cast<NodeId>(outer.nodes.size()));
    outer.nodes.push_back(std::move(copy));
  }
  const RecipeOutput& output = one.outputs.front();
  NodeId value = numbers[output.root];
  for (const auto& [component, node] : output.components) {
    value = ReplaceComponent(name, component, value, numbers[node], output.place, outer);
  }
  outer.ancestors.push_back({inner.source->name, inner.source->text});
  outer.ancestors.insert(outer.ancestors.end(), inner.ancestors.begin(), inner.ancestors.end());
  return value;
}

}  // namespace weightsmith::internal
