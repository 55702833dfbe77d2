#include "merge/plan/expression_index.h"

#include <fmt/core.h>

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "core/base/error.h"
#include "merge/plan/stack_index.h"

namespace weightsmith::internal {
namespace {

std::string Named(const ModelIndex& model) {
  const Anatomy& anatomy = model.anatomy();
  const std::string what =
      anatomy.architecture != nullptr ? std::string(anatomy.architecture->title) : anatomy.id;
  return fmt::format("'{}' is {}", model.model().name, what);
}

bool IsMergedByDefault(const std::pair<const std::string_view, const ComponentAnatomy*>& named) {
  return named.second->merged_by_default;
}

/// Values in the order in which they come, each once.
class Union {
 public:
  void Add(const std::vector<std::uint32_t>& values) {
    for (const std::uint32_t value : values) {
      if (known_.insert(value).second) values_.push_back(value);
    }
  }
  const std::vector<std::uint32_t>& values() const& { return values_; }
  std::vector<std::uint32_t>&& values() && { return std::move(values_); }

 private:
  std::vector<std::uint32_t> values_;
  std::unordered_set<std::uint32_t> known_;
};

template <class Body>
void ForEachOperand(const Node& node, Body&& body) {
  for (const NodeId operand : node.operands) body(operand);
  for (const NodeId operand : node.list) body(operand);
}

/// Whether every third model fits both or neither.
bool AreAlike(const ModelIndex& a, const ModelIndex& b) {
  const Architecture* left = a.anatomy().architecture;
  const Architecture* right = b.anatomy().architecture;
  const bool one_form =
      left == right || (left != nullptr && right != nullptr && left->form == right->form);
  return one_form && a.anatomy().prediction == b.anatomy().prediction;
}

void CheckPair(const Node& step, const ModelIndex& a, const ModelIndex& b, Problems& problems) {
  const Anatomy& left = a.anatomy();
  const Anatomy& right = b.anatomy();
  if (left.architecture != nullptr && right.architecture != nullptr &&
      left.architecture->form != right.architecture->form) {
    problems.AddSentence(
        fmt::format("step '{}': weights of different architectures do not mix: {}, {}", step.name,
                    Named(a), Named(b)),
        "Give models of one architecture; 'weightsmith info FILE' says which one a file is.");
  }
  if (step.policies.prediction == PredictionPolicy::kError &&
      left.prediction != Prediction::kUnknown && right.prediction != Prediction::kUnknown &&
      left.prediction != right.prediction) {
    problems.Add(fmt::format(
        "step '{}': '{}' predicts {} and '{}' predicts {}: mixing their weights breaks both "
        "(write `policy: {{prediction: allow}}` where it is meant)",
        step.name, a.model().name, ToString(left.prediction), b.model().name,
        ToString(right.prediction)));
  }
}

std::string StackAsOperand(std::string_view step, std::string_view stack) {
  return fmt::format(
      "step '{}': '{}' is a stack, whose layers have numbers of their own: let the step act on the "
      "models that are stacked, or write the stack to a file and take that",
      step, stack);
}

/// A step is evaluated from within those that take it. REQUIRES: operands stand before their users.
void CheckDepth(const std::vector<Node>& nodes) {
  constexpr std::size_t kDeepest = 1000;
  std::vector<std::size_t> depths(nodes.size());
  for (NodeId id = 0; id < nodes.size(); ++id) {
    ForEachOperand(nodes[id],
                   [&](NodeId operand) { depths[id] = std::max(depths[id], depths[operand] + 1); });
    if (depths[id] <= kDeepest) continue;
    throw Error(
        ErrorCode::kResources,
        fmt::format("step '{}' stands on a chain of more than {} steps", nodes[id].name, kDeepest),
        "Split the recipe: write an intermediate result and merge that.");
  }
}

}  // namespace

ExpressionIndex::ExpressionIndex(const Expression& expression, std::span<const NodeId> roots,
                                 Problems& problems)
    : expression_(&expression),
      visited_(expression.nodes.size()),
      weight_models_(expression.nodes.size()),
      copied_models_(expression.nodes.size()),
      all_models_(expression.nodes.size()),
      node_adapters_(expression.nodes.size()) {
  CheckDepth(expression.nodes);
  models_.reserve(expression.models.size());
  for (const Model& model : expression.models) models_.emplace_back(model);
  for (const NodeId root : roots) Visit(root);
  for (const NodeId step : steps_) CheckStep(expression.nodes[step], problems);
  FitAdapters(problems);
}

/// Of every step that an adapter enters, the models whose weights it meets there.
void ExpressionIndex::FitAdapters(Problems& problems) {
  std::map<std::uint32_t, Union> bases;
  for (const NodeId step : steps_) {
    for (const std::uint32_t adapter : node_adapters_[step]) {
      bases[adapter].Add(weight_models_[step]);
    }
  }
  for (const auto& [adapter, models] : bases) {
    std::vector<const ModelIndex*> indexes;
    for (const std::uint32_t model : models.values()) indexes.push_back(&models_[model]);
    const Model& model = expression_->models[adapter];
    if (indexes.empty()) {
      problems.Add(fmt::format("adapter '{}' is added to no model", model.name));
      continue;
    }
    adapters_.emplace(adapter,
                      AdapterIndex(model, indexes, expression_->policies.elsewhere, problems));
  }
}

void ExpressionIndex::Visit(NodeId id) {
  if (visited_[id]) return;
  visited_[id] = true;
  const Node& node = expression_->nodes[id];
  if (node.leaf() && expression_->models[*node.model].adapter != nullptr) {
    node_adapters_[id] = {*node.model};
    reached_models_.insert(*node.model);
    return;
  }
  if (node.leaf()) {
    weight_models_[id] = copied_models_[id] = all_models_[id] = {*node.model};
    reached_models_.insert(*node.model);
    return;
  }
  Union all;
  Union adapters;
  Union by_weight;
  Union copied;
  ForEachOperand(node, [&](NodeId operand) {
    Visit(operand);
    all.Add(all_models_[operand]);
    adapters.Add(node_adapters_[operand]);
    const bool weight = expression_->nodes[operand].kind == Kind::kWeight;
    // A difference that is itself what is computed has the tensors of all that it is made of.
    if (!weight && node.kind != Kind::kDelta) return;
    by_weight.Add(weight_models_[operand]);
    const bool kept = node.op->where.empty() || operand == node.operands.front();
    if (kept) copied.Add(copied_models_[operand]);
  });
  all_models_[id] = std::move(all).values();
  node_adapters_[id] = std::move(adapters).values();
  weight_models_[id] = std::move(by_weight).values();
  copied_models_[id] = std::move(copied).values();
  bool asked = false;
  ForEachWeights(node, [&](const Weights& weights, std::string_view /*name*/) {
    asked = asked || weights.NamesVae();
  });
  for (std::size_t i = 0; i < node.parameters.size(); ++i) {
    asked = asked || (node.op->parameters[i].for_vae && node.parameters[i].everywhere() == 1.0);
  }
  // Models that are nothing but VAEs are given for the VAE.
  const bool only_vaes = std::ranges::all_of(all_models_[id], [this](std::uint32_t model) {
    const auto& components = models_[model].components();
    return !components.empty() && std::ranges::none_of(components, IsMergedByDefault);
  });
  if (asked || only_vaes) names_vae_.insert(id);
  if (node.op->reads_ema) {
    if (const auto& model = expression_->nodes[node.operands.front()].model) {
      ema_models_.insert(*model);
    }
  }
  step_number_[id] = static_cast<std::uint32_t>(steps_.size());
  steps_.push_back(id);
}

void ExpressionIndex::CheckStep(const Node& step, Problems& problems) const {
  const std::vector<Node>& nodes = expression_->nodes;
  ForEachOperand(step, [&](NodeId operand) {
    if (!IsStack(nodes[operand]) || IsStack(step)) return;
    problems.AddSentence(StackAsOperand(step.name, nodes[operand].name), "");
  });
  std::vector<std::uint32_t> before;  // the first of each kind
  ForEachOperand(step, [&](NodeId operand) {
    for (const std::uint32_t right : all_models_[operand]) {
      for (const std::uint32_t left : before) {
        if (left != right) CheckPair(step, models_[left], models_[right], problems);
      }
    }
    for (const std::uint32_t right : all_models_[operand]) {
      const auto alike = [&](std::uint32_t left) {
        return AreAlike(models_[left], models_[right]);
      };
      if (std::ranges::none_of(before, alike)) before.push_back(right);
    }
  });
}

const Anatomy* ExpressionIndex::LeadingAnatomy() const {
  for (const ModelIndex& model : models_) {
    if (model.anatomy().architecture != nullptr) return &model.anatomy();
  }
  return nullptr;
}

bool ExpressionIndex::CopiesByDefault() const {
  return std::ranges::any_of(models_, [](const ModelIndex& model) {
    return !std::ranges::all_of(model.components(), IsMergedByDefault);
  });
}

bool ExpressionIndex::IsInput(const TensorKey& key) const {
  return std::ranges::any_of(models_, [&](const ModelIndex& model) {
    const ModelTensor* const tensor = model.Find(key);
    return tensor != nullptr && tensor->anatomy->input;
  });
}

bool ExpressionIndex::HasComponent(NodeId node, std::string_view component) const {
  return std::ranges::any_of(weight_models_[node], [&](std::uint32_t model) {
    return models_[model].HasComponent(component);
  });
}

}  // namespace weightsmith::internal
