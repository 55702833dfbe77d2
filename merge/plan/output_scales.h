// The scales that outputs store with weights: those that a model has, and those of weights that are
// stored in an encoding which is asked for.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "merge/plan/copied_tensors.h"
#include "merge/plan/output_dtypes.h"
#include "merge/plan/output_tensors.h"
#include "merge/plan/plan_draft.h"

namespace weightsmith::internal {

class OutputScales {
 public:
  /// REQUIRES: all outlive it.
  OutputScales(PlanDraft& draft, OutputDTypes& dtypes, OutputTensors& outputs,
               CopiedTensors& copied)
      : draft_(&draft), dtypes_(&dtypes), outputs_(&outputs), copied_(&copied) {}

  /// Adds the scale of a task's product, where it has one: that of the source where the product is
  /// a copy, the slot's where it is not.
  void Add(const PlannedTensor& tensor, const Want& want, std::uint32_t task,
           std::uint32_t product);

 private:
  void AddKept(const PlannedTensor& tensor, const Want& want, std::uint32_t number,
               std::uint32_t product);
  void AddEncoded(const PlannedTensor& tensor, const Encoding& encoding, const Want& want,
                  std::uint32_t number, std::uint32_t product);
  void AddMarker(const PlannedTensor& tensor, const Encoding& encoding, const Want& want,
                 OutputTensor mark, Slot slot);
  std::uint32_t AddNumbers(std::uint32_t task, DType dtype, Slot slot, const Shape& shape);

  PlanDraft* draft_;
  OutputDTypes* dtypes_;
  OutputTensors* outputs_;
  CopiedTensors* copied_;
  std::set<std::pair<std::uint32_t, std::string>> marked_;  ///< outputs and canonical markers
};

}  // namespace weightsmith::internal
