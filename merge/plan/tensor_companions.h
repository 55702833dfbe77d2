// Tensors of other names that operators read beside the one at hand.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "merge/plan/tensor_tape.h"

namespace weightsmith::internal {

/// A tensor of another name that an operator reads.
struct CompanionSource {
  std::uint32_t model = 0;
  TensorKey key;

  bool operator==(const CompanionSource&) const = default;
};

/// Those of one tensor, for all steps.
class TensorCompanions {
 public:
  /// REQUIRES: `tape` outlives it.
  explicit TensorCompanions(TensorTape& tape) : tape_(&tape) {}

  /// What the step's operator reads beside the tensor. Reports what cannot be read so.
  std::vector<Companion> Of(const Node& step, std::span<const TensorOperand> operands);

  /// Numbers that a head of the first operand's attention has, for an operator that reads
  /// companions; 0 where it is not known.
  std::uint64_t HeadSizeOf(const Node& step, std::span<const TensorOperand> operands) const;

  /// All that were asked for, in the order of companions' indices.
  const std::vector<CompanionSource>& sources() const { return sources_; }

 private:
  bool AreReadable(const Node& step, std::span<const TensorOperand> operands);

  TensorTape* tape_;
  std::vector<CompanionSource> sources_;
};

}  // namespace weightsmith::internal
