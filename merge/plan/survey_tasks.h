// What has to be learned of all tensors of a step before one of them can be computed.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "merge/plan/plan.h"
#include "merge/plan/planned_tensors.h"
#include "merge/plan/task_maker.h"

namespace weightsmith::internal {

class SurveyTasks {
 public:
  /// REQUIRES: `maker` outlives it.
  explicit SurveyTasks(const TaskMaker& maker) : maker_(&maker) {}

  /// The tensor's part in the surveys that its task needs the results of. `lowering` is what the
  /// task's program was finished from.
  void Add(const PlannedTensor& tensor, const TensorEvaluator& evaluator, const Lowering& lowering,
           const Task& task);
  /// Makes surveys of all that was added, for a plan that is finished but for them.
  void MoveInto(Plan& plan) &&;

 private:
  const TaskMaker* maker_;
  std::map<std::uint32_t, std::map<std::string, Task>> tasks_;  ///< by step of the plan
};

}  // namespace weightsmith::internal
