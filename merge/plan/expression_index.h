// What is the same for all tensors of an expression.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string_view>
#include <vector>

#include "merge/expression/expression.h"
#include "merge/plan/adapter_index.h"
#include "merge/plan/model_index.h"
#include "merge/plan/problems.h"

namespace weightsmith::internal {

/// The expression with what is the same for all tensors worked out once.
class ExpressionIndex {
 public:
  /// Checks architectures and kinds of prediction of every step that `roots` reach.
  ExpressionIndex(const Expression& expression, std::span<const NodeId> roots, Problems& problems);

  const Expression& expression() const { return *expression_; }
  const std::vector<ModelIndex>& models() const { return models_; }
  /// A model's tensor. REQUIRES: the model has it.
  const ModelTensor& TensorOf(std::uint32_t model, const TensorKey& key) const {
    return *models_[model].Find(key);
  }
  bool IsAdapter(const Node& node) const {
    return node.leaf() && expression_->models[*node.model].adapter != nullptr;
  }
  /// Of the first model whose architecture is known; null where none is.
  const Anatomy* LeadingAnatomy() const;
  /// Steps that the roots reach, operands before users.
  const std::vector<NodeId>& steps() const { return steps_; }
  std::uint32_t StepNumber(NodeId node) const { return step_number_.at(node); }
  /// Models of a node in the order in which they are written, as weights: what a difference
  /// subtracts or adds is not among them.
  const std::vector<std::uint32_t>& WeightModels(NodeId node) const { return weight_models_[node]; }
  /// Those of them that a tensor may be copied from which takes no part in arithmetic: of a step
  /// that acts on some tensors only those of its first operand.
  const std::vector<std::uint32_t>& CopiedModels(NodeId node) const { return copied_models_[node]; }
  /// Whether any weight operand of the node has a tensor of the component.
  bool HasComponent(NodeId node, std::string_view component) const;
  /// Whether any model has a component that is copied unless a step says otherwise: a VAE.
  bool CopiesByDefault() const;
  /// Whether a row of the step names the VAE, its `vae` is true, or its operands are nothing else.
  bool NamesVae(NodeId node) const { return names_vae_.contains(node); }
  /// Whether the columns of a tensor are the input channels of any model.
  bool IsInput(const TensorKey& key) const;
  /// Models whose EMA copies a step reads.
  const std::set<std::uint32_t>& EmaModels() const { return ema_models_; }
  bool Reaches(std::uint32_t model) const { return reached_models_.contains(model); }
  /// Of a model that is an adapter.
  const AdapterIndex& Adapter(std::uint32_t model) const { return adapters_.at(model); }
  const std::map<std::uint32_t, AdapterIndex>& adapters() const { return adapters_; }

 private:
  void Visit(NodeId node);
  void CheckStep(const Node& step, Problems& problems) const;
  void FitAdapters(Problems& problems);

  const Expression* expression_;
  std::vector<ModelIndex> models_;
  std::vector<bool> visited_;
  std::vector<NodeId> steps_;
  std::map<NodeId, std::uint32_t> step_number_;
  std::vector<std::vector<std::uint32_t>> weight_models_;
  std::vector<std::vector<std::uint32_t>> copied_models_;
  std::vector<std::vector<std::uint32_t>> all_models_;
  std::set<NodeId> names_vae_;
  std::set<std::uint32_t> reached_models_;
  std::set<std::uint32_t> ema_models_;
  std::vector<std::vector<std::uint32_t>> node_adapters_;  ///< that a node depends on
  std::map<std::uint32_t, AdapterIndex> adapters_;         ///< by model
};

}  // namespace weightsmith::internal
