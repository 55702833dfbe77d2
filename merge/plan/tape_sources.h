// What the tape of one tensor reads: models that have the tensor, their EMA copies of it, and what
// adapters make for it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "merge/expression/expression.h"
#include "merge/plan/expression_index.h"
#include "merge/program/tape.h"

namespace weightsmith::internal {

struct TapeSource {
  std::uint32_t model = 0;
  bool delta = false;           ///< of an adapter
  std::optional<NodeId> baked;  ///< of an adapter that depends on the step: which one
  bool ema = false;             ///< the model's EMA copy of the tensor
};

class TapeSources {
 public:
  /// Throws kResources where they are more than a tape has registers.
  TapeSources(const ExpressionIndex& index, const TensorKey& key);

  /// In the order of their registers: models, EMA copies, then adapters, once each, or once for
  /// each step that they depend on.
  const std::vector<TapeSource>& all() const { return all_; }
  /// That of a model, or of an adapter in a step that it depends on.
  std::optional<Register> Of(std::uint32_t model, std::optional<NodeId> step) const;
  std::optional<Register> EmaOf(std::uint32_t model) const;

 private:
  std::vector<TapeSource> all_;
  std::map<std::pair<std::uint32_t, std::optional<NodeId>>, Register> numbers_;
  std::map<std::uint32_t, Register> ema_;  ///< by model
};

}  // namespace weightsmith::internal
