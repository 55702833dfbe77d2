// How a plan is made: the tensors of each output, the tasks that compute them, the files that they
// go into. Private to merge/plan.
#pragma once

#include <vector>

#include "merge/plan/coded_tensors.h"
#include "merge/plan/computed_tensors.h"
#include "merge/plan/copied_tensors.h"
#include "merge/plan/output_dtypes.h"
#include "merge/plan/output_scales.h"
#include "merge/plan/output_stacks.h"
#include "merge/plan/output_tensors.h"
#include "merge/plan/plan_draft.h"
#include "merge/plan/survey_tasks.h"
#include "merge/plan/task_maker.h"
#include "merge/plan/wanted_tensors.h"

namespace weightsmith::internal {

/// Makes a plan, step by step.
class Planner {
 public:
  Planner(const Expression& expression, std::vector<OutputSpec> outputs);
  Plan Make() &&;

 private:
  void FillPlaces();
  void PlanTensor(const PlannedTensor& tensor);
  std::vector<TensorPlace> PlacesOfWeights() const;
  void CheckComponents();
  void PlaceOutputs();

  PlanDraft draft_;
  OutputStacks stacks_;
  WantedTensors wanted_;
  TaskMaker maker_;
  OutputDTypes dtypes_;
  OutputTensors outputs_;
  SurveyTasks surveys_;
  CopiedTensors copied_;
  CodedTensors coded_;
  OutputScales scales_;
  ComputedTensors computed_;
};

}  // namespace weightsmith::internal
