// Tensors that some model stores as codes that are not decoded, or beside such codes.
#pragma once

#include <span>
#include <vector>

#include "merge/plan/copied_tensors.h"
#include "merge/plan/plan_draft.h"

namespace weightsmith::internal {

class CodedTensors {
 public:
  /// REQUIRES: both outlive it.
  CodedTensors(PlanDraft& draft, CopiedTensors& copied) : draft_(&draft), copied_(&copied) {}

  /// Whether any model stores the tensor so.
  bool Has(const TensorKey& key) const;
  /// Copies with all that belongs to it what is only copied; anything else of codes is a problem.
  /// Returns what has nothing of any codes and is planned like other tensors.
  std::vector<Want> Add(const PlannedTensor& tensor, std::span<const Want> wants);

 private:
  bool PlanWeight(const PlannedTensor& tensor, const Want& want);
  void Refuse(const TensorKey& key, const TensorEvaluator& evaluator,
              std::span<const Register> sources);
  const StoredWeight* CodesOf(const TensorKey& key, const TapeSource& source) const;

  PlanDraft* draft_;
  CopiedTensors* copied_;
};

}  // namespace weightsmith::internal
