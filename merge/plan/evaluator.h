// What an expression is for one tensor: which steps act on it, and the tape that computes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "merge/plan/adapter_baker.h"
#include "merge/plan/step_lowering.h"
#include "merge/plan/tensor_companions.h"
#include "merge/plan/tensor_tape.h"

namespace weightsmith::internal {

/// Evaluates nodes for one tensor into one tape.
class TensorEvaluator {
 public:
  /// REQUIRES: all outlive the evaluator. `canonical` is the name that selectors and messages see;
  /// modules of adapters are numbered from `first_applied`.
  TensorEvaluator(const ExpressionIndex& index, const TensorKey& key, const std::string& canonical,
                  const TensorPlace& place, Problems& problems, std::size_t first_applied = 0);
  TensorEvaluator(const TensorEvaluator&) = delete;
  TensorEvaluator& operator=(const TensorEvaluator&) = delete;

  const TensorValue& Evaluate(NodeId node);

  /// The sources of the tape.
  const std::vector<TapeSource>& sources() const { return tape_.sources.all(); }
  /// What a source that is a model's tensor is called in its model.
  TensorKey KeyOf(const TapeSource& source) const;
  /// What is read beside them, in the order of companions' indices.
  const std::vector<CompanionSource>& companions() const { return companions_.sources(); }
  /// Of sources that depend on a step.
  const std::map<Register, BakedDelta>& baked() const { return baker_.deltas(); }
  const std::vector<AppliedModule>& applied() const { return baker_.applied(); }
  /// What the steps did that were evaluated.
  const StepAccount& account() const { return tape_.account; }

  Lowering&& TakeLowering() { return std::move(tape_.lowering); }

 private:
  std::vector<TensorOperand> OperandsOf(const Node& step);
  TensorValue EvaluateLeaf(const Node& leaf);
  TensorValue EvaluateStep(NodeId id);
  bool IsMissing(const TensorOperand& operand) const;
  TensorValue EvaluateMissing(NodeId id, std::span<const TensorOperand> operands);
  TensorValue EvaluateShared(NodeId id, std::span<const TensorOperand> operands);
  TensorValue Leftmost(const Node& step, std::span<const NodeId> operands);
  bool TouchesVae(NodeId step);
  bool Selects(const Node& step);
  bool IsComputed(NodeId operand);
  bool Fits(const Node& step, std::span<const TensorOperand> operands, Shape& widest);

  TensorTape tape_;
  TensorCompanions companions_;
  StepLowering lowering_;
  AdapterBaker baker_;
  std::map<NodeId, TensorValue> results_;
};

}  // namespace weightsmith::internal
