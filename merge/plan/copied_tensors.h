// Tensors that outputs have as models store them.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "merge/plan/output_dtypes.h"
#include "merge/plan/output_tensors.h"
#include "merge/plan/plan_draft.h"
#include "merge/plan/task_maker.h"

namespace weightsmith::internal {

class CopiedTensors {
 public:
  /// REQUIRES: all outlive it.
  CopiedTensors(PlanDraft& draft, const TaskMaker& maker, OutputDTypes& dtypes,
                OutputTensors& outputs)
      : draft_(&draft), maker_(&maker), dtypes_(&dtypes), outputs_(&outputs) {}

  /// Plans a tensor that takes no part in arithmetic: each output has that of its first model.
  void Add(const PlannedTensor& tensor, std::span<const Want> wants);
  /// Adds a task that copies a model's tensor, and the tensor of the output that it is.
  void Copy(const TensorKey& key, const std::string& canonical, std::uint32_t model,
            const Want& want);

 private:
  void CountIntegers(const PlannedTensor& tensor);
  bool LeavesOut(const TensorKey& key, std::uint32_t model, const Want& want);

  PlanDraft* draft_;
  const TaskMaker* maker_;
  OutputDTypes* dtypes_;
  OutputTensors* outputs_;
};

}  // namespace weightsmith::internal
