// What steps did to the tensors of a plan, held against what they are for.
#pragma once

#include <cstdint>
#include <set>
#include <utility>

#include "merge/plan/plan_draft.h"

namespace weightsmith::internal {

class StepChecker {
 public:
  /// Of a draft whose tensors are all planned. REQUIRES: it outlives the checker.
  explicit StepChecker(PlanDraft& draft);

  /// Reports steps that have no tensor to act on, and says of each what it did. Throws kNoEffect
  /// and kMismatch for a step that is for nothing, where nothing else is wrong.
  void Check();
  /// How many of all tensors a step with `where` acts on, which its expressions do not show.
  void NoteSelections(std::size_t tensors);

 private:
  void CheckSelections();
  void CheckAdapters(NodeId id);
  void CheckConcern(const StepPlan& step) const;
  void CheckShared(const StepPlan& step) const;
  bool IsSelectedFrom(NodeId node) const;

  PlanDraft* draft_;
  const ExpressionIndex* index_;
  const StepAccount* account_;
  /// Models of adapters and the steps in which they change something.
  std::set<std::pair<std::uint32_t, std::uint32_t>> applied_;
};

}  // namespace weightsmith::internal
