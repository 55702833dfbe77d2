// How steps that bake adapters are computed for one tensor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "merge/plan/plan.h"
#include "merge/plan/tensor_tape.h"

namespace weightsmith::internal {

/// A delta that depends on the value of a step's model.
struct BakedDelta {
  double strength = 1;
  bool scaled = false;  ///< the strength is in it
  bool replaces = false;
  std::optional<KeptIndex> weight;  ///< the value, where it is read
};

class AdapterBaker {
 public:
  /// REQUIRES: `tape` outlives it. Modules are numbered from `first_applied`.
  AdapterBaker(TensorTape& tape, std::size_t first_applied)
      : tape_(&tape), first_applied_(static_cast<std::uint32_t>(first_applied)) {}

  /// What a step makes that bakes adapters. `operands` are the model and the step's list, `widest`
  /// is the shape of the model's tensor.
  TensorValue Bake(NodeId step, std::span<const TensorOperand> operands, const Shape& widest);

  /// Reports parts of an adapter that do not fit a tensor of the shape.
  void CheckParts(const Node& step, std::uint32_t model, const Shape& shape);

  /// Of sources that depend on a step.
  const std::map<Register, BakedDelta>& deltas() const { return deltas_; }
  const std::vector<AppliedModule>& applied() const { return applied_; }

 private:
  Shape ShapeOf(const Node& step, std::span<const TensorOperand> entries, Shape shape);
  std::optional<double> StrengthOf(const Node& step, std::size_t entry);
  Value DeltaOf(NodeId step, std::uint32_t model, Value weight, double strength);
  void AddProbes(NodeId step, std::uint32_t model, double strength, const Shape& shape,
                 Value before, Value after);

  TensorTape* tape_;
  std::uint32_t first_applied_;
  std::map<Register, BakedDelta> deltas_;
  std::vector<AppliedModule> applied_;
};

}  // namespace weightsmith::internal
