// How outputs store tensors: in which dtype or encoding.
#pragma once

#include <cstdint>
#include <map>
#include <utility>

#include "merge/plan/plan_draft.h"
#include "merge/plan/planned_tensors.h"

namespace weightsmith::internal {

class OutputDTypes {
 public:
  /// `tensors` are those that outputs have. REQUIRES: both outlive it.
  OutputDTypes(const PlanDraft& draft, const std::map<TensorKey, PlannedTensor>& tensors)
      : draft_(&draft), tensors_(&tensors) {}

  /// How an output stores a tensor.
  StoredAs Of(const PlannedTensor& tensor, const Want& want) const;
  /// Whether any weight of the model stays as it is stored, scaled.
  bool KeepsScaled(std::uint32_t output, std::uint32_t model);

 private:
  const PlanDraft* draft_;
  const std::map<TensorKey, PlannedTensor>* tensors_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, bool> keeps_scaled_;  ///< by output and model
};

}  // namespace weightsmith::internal
