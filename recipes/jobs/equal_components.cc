#include "recipes/jobs/equal_components.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>

#include "core/base/text.h"

namespace weightsmith::internal {
namespace {

struct Stored {
  const Checkpoint* checkpoint = nullptr;
  const CheckpointTensor* tensor = nullptr;
};

/// By the names that they have inside the component.
using Tensors = std::map<std::string_view, Stored>;

Tensors TensorsOf(const Model& model, std::string_view component) {
  Tensors tensors;
  for (const Model::Part& part : model.parts) {
    if (part.component && *part.component != component) continue;
    for (std::size_t i = 0; i < part.anatomy.tensors.size(); ++i) {
      const TensorAnatomy& tensor = part.anatomy.tensors[i];
      if (part.anatomy.components[tensor.component].name != component) continue;
      tensors[tensor.local] = {part.checkpoint.get(), &part.checkpoint->tensors()[i]};
    }
  }
  return tensors;
}

bool Same(const Stored& a, const Stored& b) {
  if (a.tensor->info.dtype != b.tensor->info.dtype || a.tensor->info.shape != b.tensor->info.shape)
    return false;
  return a.checkpoint->Read(*a.tensor) == b.checkpoint->Read(*b.tensor);
}

bool Same(const Tensors& a, const Tensors& b) {
  if (a.empty() || a.size() != b.size()) return false;
  return std::ranges::all_of(a, [&](const auto& entry) {
    const auto found = b.find(entry.first);
    return found != b.end() && Same(entry.second, found->second);
  });
}

/// The model that a node's tensors come from where nothing computes them.
const RecipeModel& LeftmostModel(const Recipe& recipe, NodeId id) {
  const Node* node = &recipe.nodes[id].node;
  while (!node->leaf()) {
    node = &recipe.nodes[node->operands.empty() ? node->list.front() : node->operands.front()].node;
  }
  return recipe.models[*node->model];
}

/// Whether the node is a model, or a copy of one.
bool IsModel(const Recipe& recipe, NodeId id) {
  const Node& node = recipe.nodes[id].node;
  return node.leaf() || (node.op->name == "copy" && IsModel(recipe, node.operands.front()));
}

const Model* Find(const Plan& plan, const std::string& name) {
  const auto found = std::ranges::find(plan.models, name, &Model::name);
  return found == plan.models.end() ? nullptr : &*found;
}

}  // namespace

std::vector<std::string> EqualComponents(const Recipe& recipe, const Plan& plan) {
  std::vector<std::string> sentences;
  if (plan.policies.effect == EffectPolicy::kAny) return sentences;
  const Recipe used = WithoutUnused(recipe);
  for (std::size_t o = 0; o < plan.outputs.size() && o < used.outputs.size(); ++o) {
    for (const auto& [component, node] : plan.outputs[o].spec.components) {
      if (!IsModel(used, node)) continue;
      const Model* replaced = Find(plan, LeftmostModel(used, used.outputs[o].root).name);
      const Model* taken = Find(plan, LeftmostModel(used, node).name);
      if (replaced == nullptr || taken == nullptr || replaced == taken) continue;
      if (!Same(TensorsOf(*replaced, component), TensorsOf(*taken, component))) continue;
      const std::string sentence =
          fmt::format("the {} of {} is that of {} already: taking it changes nothing", component,
                      Quote(taken->name), Quote(replaced->name));
      if (std::ranges::find(sentences, sentence) == sentences.end()) sentences.push_back(sentence);
    }
  }
  return sentences;
}

}  // namespace weightsmith::internal
