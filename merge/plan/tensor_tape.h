// One tensor, and the tape that the nodes of an expression are evaluated into for it.
#pragma once

#include <initializer_list>
#include <string>

#include "merge/expression/expression.h"
#include "merge/plan/expression_index.h"
#include "merge/plan/problems.h"
#include "merge/plan/step_account.h"
#include "merge/plan/tape_sources.h"
#include "merge/program/lowering.h"

namespace weightsmith::internal {

/// What a node is for the tensor.
struct TensorValue {
  bool present = false;
  Value value = Value::Zero();
  Shape shape;
  bool needs_weight = false;  ///< an adapter's, which only baking can compute
};

/// An operand of a step, which is evaluated before the step.
struct TensorOperand {
  NodeId node = 0;
  TensorValue result;
};

struct TensorTape {
  /// REQUIRES: all outlive it. `canonical_name` is the name that selectors and messages see.
  TensorTape(const ExpressionIndex& all, const TensorKey& tensor, const std::string& canonical_name,
             const TensorPlace& at, Problems& found);

  const Node& NodeOf(NodeId id) const { return index.expression().nodes[id]; }
  /// Reports a model among the operands that is quantised; returns whether there is one.
  bool AddQuantised(std::initializer_list<NodeId> operands);

  const ExpressionIndex& index;
  const TensorKey& key;
  const std::string& canonical;
  TensorPlace place;
  Problems& problems;
  TapeSources sources;
  Lowering lowering;
  StepAccount account;
};

}  // namespace weightsmith::internal
