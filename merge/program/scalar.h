// Numbers that hold for a tensor as a whole: literals of the plan, or slots that a pass over the
// tensor fills. What is computed of slots is computed once, between two passes, in f64.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace weightsmith::internal {

/// The index of a number that is known when a pass has ended.
using Slot = std::uint16_t;
inline constexpr Slot kNoSlot = 0xffff;

class Scalar {
 public:
  explicit(false) Scalar(double literal) : literal_(literal) {}
  static Scalar Of(Slot slot) {
    Scalar scalar(0);
    scalar.slot_ = slot;
    return scalar;
  }

  bool is_literal() const { return slot_ == kNoSlot; }
  bool Is(double literal) const { return is_literal() && literal_ == literal; }
  /// 0 of a slot.
  double literal() const { return literal_; }
  Slot slot() const { return slot_; }
  bool operator==(const Scalar&) const = default;

 private:
  double literal_;
  Slot slot_ = kNoSlot;
};

enum class ScalarCode : std::uint8_t {
  kAdd,                ///< a + b
  kSubtract,           ///< a - b
  kMultiply,           ///< a·b
  kDivide,             ///< a / b
  kMinimum,            ///< the lesser of a and b
  kMaximum,            ///< the greater
  kMagnitude,          ///< |a|
  kSquareRoot,         ///< √a
  kSine,               ///< sin a
  kCosine,             ///< cos a
  kArcCosine,          ///< acos a
  kExponential,        ///< e^a
  kLogarithm,          ///< ln a
  kHyperbolicTangent,  ///< tanh a
  kPower,              ///< a^b; NaN for an a below 0
  kRound32,            ///< a rounded to f32
  kRoundF16,           ///< a rounded to f16
  kRoundBF16,          ///< a rounded to bf16
  kSelect,             ///< c where a < b, else d
  kSumOfCells,         ///< the sum of a over all cells, in their order
  kFunction,           ///< ScalarOp::function of ScalarOp::operands
};

/// A function of any number of scalars that gives several: what is too long to be written as
/// operations.
struct ScalarFunction {
  std::string_view name;
  /// The number that it gives at an index. Of one and the same `in` it is called for each.
  double (*compute)(std::span<const double> in, std::size_t index) = nullptr;
};

/// One operation on scalars. A slot holds one number for the tensor, or one for each cell; a number
/// for the tensor goes with each cell.
struct ScalarOp {
  ScalarCode code = ScalarCode::kAdd;
  std::array<Scalar, 4> in{0, 0, 0, 0};
  Slot out = kNoSlot;
  const ScalarFunction* function = nullptr;
  std::vector<Scalar> operands{};
  std::size_t index = 0;

  bool operator==(const ScalarOp&) const = default;
};

/// How many of `in` an operation has.
std::size_t Inputs(ScalarCode code);

/// All that an operation reads.
std::span<const Scalar> Reads(const ScalarOp& operation);

/// The value of an operation on numbers, but of kSumOfCells and kFunction. REQUIRES: Inputs(code)
/// of them.
double Evaluate(ScalarCode code, std::span<const double> in);

/// The values of every slot: what is not known yet is empty.
using SlotValues = std::vector<std::vector<double>>;

/// Fills the slot that the operation is for. REQUIRES: those that it reads are filled.
void Evaluate(const ScalarOp& operation, SlotValues& slots);

}  // namespace weightsmith::internal
