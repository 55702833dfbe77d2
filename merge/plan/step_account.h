// What steps did to tensors. The checks of steps and the notes of a plan are made from it.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "merge/expression/expression.h"

namespace weightsmith::internal {

/// Of one tensor, which an evaluator fills, or of all tensors of a plan.
struct StepAccount {
  /// Models whose value was given to an operator, though it may have been folded away.
  std::set<std::uint32_t> considered;
  /// Likewise, of an operator that may have no need of it, and the step.
  std::map<std::uint32_t, NodeId> spared;
  std::set<NodeId> computed;   ///< steps that computed a tensor
  std::set<NodeId> concerned;  ///< of them, those whose operator is for such a tensor
  std::set<NodeId> replaced;   ///< whose result is another operand than the first, unchanged
  std::set<NodeId> shared;     ///< all of whose weight operands have a tensor
  std::set<NodeId> left_vae;   ///< that left a tensor as it is, because it is of a VAE
  /// Tensors that a step left as they are, because an operand that has their component lacks them.
  std::map<NodeId, std::uint64_t> kept;
  /// Tensors that a step with `where` selects.
  std::map<NodeId, std::uint64_t> selected;
  /// Steps and adapters that they leave out, with a strength of 0.
  std::set<std::pair<NodeId, std::uint32_t>> muted;

  /// Joins the account of other tensors to it.
  void Add(const StepAccount& other);
};

}  // namespace weightsmith::internal
