// How a step is written into the tape of one tensor by its operator.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "merge/plan/tensor_companions.h"
#include "merge/plan/tensor_tape.h"

namespace weightsmith::internal {

class StepLowering {
 public:
  /// REQUIRES: both outlive it.
  StepLowering(TensorTape& tape, TensorCompanions& companions)
      : tape_(&tape), companions_(&companions) {}

  /// What the step makes of its operands. `widest` is the shape of the result; some operands may
  /// have fewer input channels.
  TensorValue Lower(NodeId step, std::span<const TensorOperand> operands, const Shape& widest);

 private:
  /// What a step's operands are.
  struct OperandValues {
    std::vector<Value> values;
    std::optional<Value> wide;  ///< the first that has all input channels
    bool narrows = false;       ///< whether one has fewer
    std::uint64_t row = 0;      ///< elements of a row, where one has
    std::uint64_t shared = 0;   ///< elements of a row that all have, likewise
  };

  OperandValues ValuesOf(NodeId id, std::span<const TensorOperand> operands, const Shape& widest);
  std::optional<Value> EmaOf(const Node& step, const Shape& shape);
  std::optional<std::vector<double>> NumbersOf(const Node& step);
  std::optional<Value> LowerOperator(NodeId id, std::span<const TensorOperand> operands,
                                     std::span<const Value> values, std::span<const double> numbers,
                                     const Shape& shape);
  void WatchResult(NodeId id, std::span<const Value> values, Value after);

  TensorTape* tape_;
  TensorCompanions* companions_;
};

}  // namespace weightsmith::internal
