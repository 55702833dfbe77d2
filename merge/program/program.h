// What is computed of one tensor when a tape alone is not enough: passes over all of it, one after
// another, before the one that stores it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "core/tensor/tensor.h"
#include "merge/program/poll.h"
#include "merge/program/reduction.h"
#include "merge/program/scalar.h"
#include "merge/program/tape.h"

namespace weightsmith::internal {

/// The index of a value that is kept whole between two passes, as f32.
using KeptIndex = std::uint16_t;

/// The index of a tensor of another name that a function reads whole, as f32.
using CompanionIndex = std::uint16_t;

/// Where a function of tensors says numbers of what it did: the first ones, as many as are asked
/// for. What it does not say is NaN.
class Told {
 public:
  Told() = default;
  explicit Told(std::span<double> numbers) : numbers_(numbers) {}

  bool Wants(std::size_t index) const { return index < numbers_.size(); }
  void Say(std::size_t index, double number) const {
    if (Wants(index)) numbers_[index] = number;
  }

 private:
  std::span<double> numbers_{};
};

/// A function of rows of one tensor, each by itself, with what it reuses from call to call. For one
/// thread at a time.
class RowFunction {
 public:
  virtual ~RowFunction() = default;
  /// Puts the results of whole rows where their values stand.
  virtual void Compute(std::span<float> rows) = 0;
};

/// What a function of tensors is where it computes each row by itself: all that has one index in
/// the first dimension, or of a vector all.
struct ByRow {
  std::uint64_t elements = 0;  ///< of a row; 0: it needs all of the tensor
  std::uint64_t bytes = 0;     ///< that a RowFunction holds, at most
};

/// A function of whole tensors of one shape, computed between two passes, or of their rows.
struct TensorFunction {
  std::string_view name;
  /// `out` has as many elements as each of `in`; behind these come companions, of any size. What is
  /// told depends on nothing else, and `out` not on what is asked for.
  void (*compute)(std::span<const std::span<const float>> in, const Shape& shape,
                  std::span<const double> numbers, std::span<float> out, const Poll& poll,
                  Told told);
  /// Bytes that it takes while it computes, at most, beside `inputs` values and its result; null:
  /// none.
  std::uint64_t (*bytes)(const Shape& shape, std::size_t inputs,
                         std::span<const double> numbers) = nullptr;
  /// Bytes that each thread takes beside those in a part of a loop; null: none.
  std::uint64_t (*bytes_of_part)(const Shape& shape, std::size_t inputs,
                                 std::span<const double> numbers) = nullptr;
  /// Null: it needs all of the tensor whatever that is. Else it has one input, no companions, and
  /// tells nothing, and where it computes rows by themselves, `rows` gives what `compute` does.
  ByRow (*by_row)(const Shape& shape, std::span<const double> numbers) = nullptr;
  std::unique_ptr<RowFunction> (*rows)(const Shape& shape,
                                       std::span<const double> numbers) = nullptr;
};

/// A number that a function tells.
struct ToldNumber {
  std::size_t index = 0;
  Slot out = kNoSlot;

  bool operator==(const ToldNumber&) const = default;
};

struct Transform {
  const TensorFunction* function = nullptr;
  std::vector<double> numbers{};
  std::vector<KeptIndex> in{};
  std::vector<CompanionIndex> companions{};
  KeptIndex out = 0;
  std::vector<ToldNumber> told{};

  bool operator==(const Transform&) const = default;
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
  const TensorFunction* function = nullptr;
  std::vector<double> numbers{};
  Tape tape{};
  std::vector<Register> operands{};  ///< what the tape's sources are, as those of a pass
  Register value = 0;                ///< of the tape: the function's input
  KeptIndex out = 0;                 ///< what operands call it: it has the number of a kept value

  bool operator==(const RowValue&) const = default;
};

}  // namespace weightsmith::internal
