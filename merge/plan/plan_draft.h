// A plan while it is made.
#pragma once

#include <vector>

#include "merge/plan/evaluator.h"
#include "merge/plan/expression_index.h"
#include "merge/plan/place_table.h"
#include "merge/plan/plan.h"
#include "merge/plan/planned_tensors.h"
#include "merge/plan/problems.h"
#include "merge/plan/step_account.h"

namespace weightsmith::internal {

/// What all that plans a tensor reads and adds to.
struct PlanDraft {
  /// REQUIRES: `expression` outlives it. The plan has no tasks, and its outputs have no files.
  PlanDraft(const Expression& expression, std::vector<OutputSpec> outputs);
  PlanDraft(const PlanDraft&) = delete;
  PlanDraft& operator=(const PlanDraft&) = delete;

  const OutputSpec& SpecOf(const Want& want) const { return plan.outputs[want.output].spec; }
  TensorPlace PlaceOf(const PlannedTensor& tensor) const {
    return places.Of(*tensor.first, tensor.canonical);
  }
  /// REQUIRES: the tensor outlives it.
  TensorEvaluator EvaluatorOf(const PlannedTensor& tensor);

  Problems problems;      // before index, which adds to it
  ExpressionIndex index;  // before places, which are of its architecture
  PlaceTable places;
  Plan plan;
  StepAccount account;  ///< of all tensors that were evaluated
};

/// The nodes that outputs are of, in their order.
std::vector<NodeId> RootsOf(const std::vector<OutputSpec>& outputs);

}  // namespace weightsmith::internal
