// What is computed of one tensor when a tape alone is not enough: passes over all of it, one after
// another, before the one that stores it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "merge/program/reduction.h"
#include "merge/program/scalar.h"
#include "merge/program/tape.h"
#include "merge/program/tensor_function.h"

namespace weightsmith::internal {

/// The index of a value that is kept whole between two passes, as f32.
using KeptIndex = std::uint16_t;

/// The index of a tensor of another name that a function reads whole, as f32.
using CompanionIndex = std::uint16_t;

/// A number that a function tells.
struct ToldNumber {
  std::size_t index = 0;
  Slot out = kNoSlot;

  bool operator==(const ToldNumber&) const = default;
};

struct Transform {
  std::shared_ptr<const TensorCall> call{};  ///< never null
  std::vector<KeptIndex> in{};
  std::vector<CompanionIndex> companions{};
  KeptIndex out = 0;
  std::vector<ToldNumber> told{};

  bool operator==(const Transform& other) const {
    return *call == *other.call && in == other.in && companions == other.companions &&
           out == other.out && told == other.told;
  }
};

/// A slot that is filled before the first pass, by what was learned of all tensors of a step.
struct GivenSlot {
  Slot slot = kNoSlot;
  std::uint32_t number = 0;  ///< two for each step: see FirstGiven

  bool operator==(const GivenSlot&) const = default;
};

/// Of a step by its index in Plan::steps: the number of its lowest; that of its highest follows.
constexpr std::uint32_t FirstGiven(std::uint32_t step) {
  return 2 * step;
}

/// A register of a pass that is kept.
struct KeptRegister {
  Register value = 0;
  KeptIndex out = 0;

  bool operator==(const KeptRegister&) const = default;
};

/// A pass over all of the tensor that gathers and stores nothing; behind the last one of a task the
/// task's tape runs and stores. When it has ended, in this order: transforms make kept values of
/// kept values and fill slots with what they tell, reductions and then scalars fill theirs.
struct Pass {
  Tape tape;
  /// What the tape's sources are: operands of the task, or, from the number of those on, kept
  /// values.
  std::vector<Register> operands;
  std::vector<Reduction> reductions;
  std::vector<KeptRegister> kept;
  std::vector<Transform> transforms;
  std::vector<ScalarOp> scalars;

  bool operator==(const Pass&) const = default;
};

/// A value of which rows are made when a piece of the tensor is computed that needs them, in each
/// pass in which they are needed; nothing of it is held whole. What goes into its function is
/// gathered by a tape of its own.
struct RowValue {
  std::shared_ptr<const TensorCall> call{};  ///< never null
  Tape tape{};
  std::vector<Register> operands{};  ///< what the tape's sources are, as those of a pass
  Register value = 0;                ///< of the tape: the function's input
  KeptIndex out = 0;                 ///< what operands call it: it has the number of a kept value

  bool operator==(const RowValue& other) const {
    return *call == *other.call && tape == other.tape && operands == other.operands &&
           value == other.value && out == other.out;
  }
};

}  // namespace weightsmith::internal
