// Tensors that steps compute, or leave to outputs as one of the models has them.
#pragma once

#include <span>

#include "merge/plan/output_dtypes.h"
#include "merge/plan/output_scales.h"
#include "merge/plan/output_tensors.h"
#include "merge/plan/plan_draft.h"
#include "merge/plan/survey_tasks.h"
#include "merge/plan/task_maker.h"

namespace weightsmith::internal {

class ComputedTensors {
 public:
  /// REQUIRES: all outlive it.
  ComputedTensors(PlanDraft& draft, const TaskMaker& maker, const OutputDTypes& dtypes,
                  OutputTensors& outputs, OutputScales& scales, SurveyTasks& surveys)
      : draft_(&draft),
        maker_(&maker),
        dtypes_(&dtypes),
        outputs_(&outputs),
        scales_(&scales),
        surveys_(&surveys) {}

  /// Plans a tensor. Outputs share a task, and so one reading of the inputs, unless their shapes
  /// differ.
  void Add(const PlannedTensor& tensor, std::span<const Want> wants);

 private:
  void AddTask(const PlannedTensor& tensor, TensorEvaluator& evaluator,
               std::span<const Want> wants);
  bool Refuses(const Task& task);

  PlanDraft* draft_;
  const TaskMaker* maker_;
  const OutputDTypes* dtypes_;
  OutputTensors* outputs_;
  OutputScales* scales_;
  SurveyTasks* surveys_;
};

}  // namespace weightsmith::internal
