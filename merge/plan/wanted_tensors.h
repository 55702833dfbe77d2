// Which tensors outputs have, and what each output takes each of them from.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "merge/plan/expression_index.h"
#include "merge/plan/output_stacks.h"
#include "merge/plan/plan.h"
#include "merge/plan/planned_tensors.h"

namespace weightsmith::internal {

class WantedTensors {
 public:
  /// Of the plan's outputs and models. REQUIRES: all outlive it.
  WantedTensors(const Plan& plan, const ExpressionIndex& index, const OutputStacks& stacks);

  /// Those that at least one output has.
  const std::map<TensorKey, PlannedTensor>& all() const { return tensors_; }
  /// Every place of an output where a tensor goes; a stack may take it more than once.
  std::vector<Want> WantsOf(const TensorKey& key) const;
  /// Of tensors that are left out, since diffusers' naming does not have them: a sentence each.
  std::vector<std::string> NotesOfLacking() const;

 private:
  void CollectLacking();
  void CollectFrom(NodeId node, const OutputSpec& spec);
  std::optional<Origin> OriginIn(NodeId node, const TensorKey& key) const;
  std::vector<Origin> OriginsOf(const OutputSpec& spec, const TensorKey& key) const;

  const Plan* plan_;
  const ExpressionIndex* index_;
  const OutputStacks* stacks_;
  std::set<TensorKey> lacking_;  ///< that the naming of diffusers does not have
  std::map<TensorKey, PlannedTensor> tensors_;
};

}  // namespace weightsmith::internal
