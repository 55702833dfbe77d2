// Builds the tape of one tensor. Operators call it; it folds what need not be computed: a weight of
// exactly 0 or 1 removes the other operand, and a difference that is absent is zero.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "merge/program/tape.h"

namespace weightsmith {

enum class Precision : std::uint8_t { kF32, kF64 };

/// A tensor's value while a tape is built: a register, or a zero that costs nothing.
class Value {
 public:
  static Value Zero() { return Value(-1); }
  static Value Of(Register r) { return Value(r); }
  bool zero() const { return register_ < 0; }
  Register reg() const { return static_cast<Register>(register_); }
  auto operator<=>(const Value&) const = default;

 private:
  explicit Value(std::int32_t r) : register_(r) {}
  std::int32_t register_;
};

class Lowering {
 public:
  Lowering(Precision precision, Register sources);

  // Scalars: rounded to the working precision after every operation.
  double Round(double scalar) const;
  double Sum(double a, double b) const { return Round(Round(a) + Round(b)); }
  double Difference(double a, double b) const { return Round(Round(a) - Round(b)); }
  double Product(double a, double b) const { return Round(Round(a) * Round(b)); }

  // Tiles, in the association that the names give.
  Value Constant(double s);  ///< always a register, also for 0
  Value Scale(double s, Value x);
  Value Divide(Value x, double s);
  Value Add(Value x, Value y);
  Value Subtract(Value x, Value y);
  Value Multiply(Value x, Value y);
  Value Blend(double s, Value x, double t, Value y);         ///< s·x + t·y
  Value AddScaled(Value x, double s, Value y);               ///< x + s·y
  Value AddDifference(Value x, double s, Value y, Value z);  ///< x + s·(y - z)
  Value TrainDifference(Value x, double s, Value y, Value z);
  Value Min(Value x, Value y);
  Value Max(Value x, Value y);
  Value KeepExtra(Value shared, Value wide, std::uint64_t row, std::uint64_t shared_columns);

  /// The register that holds x; a zero gets one.
  Register Hold(Value x);

  /// Watches a step; one that left its value as it was has nothing to watch.
  void AddProbe(const Probe& probe);

  /// The tape so far, without what none of `results` (and no probe of theirs) needs, and with its
  /// sources and registers renumbered; `results` has the new numbers, and `sources` which of the
  /// old sources remain, in order. A probe is dropped when what it watches is not needed.
  struct Finished {
    Tape tape;
    std::vector<Register> sources;  ///< old number of each remaining source
    std::vector<Value> results;
  };
  Finished Finish(std::span<const Value> results) &&;

 private:
  Value Emit(OpCode code, std::array<Register, 3> in, std::array<double, 2> scalar = {});

  Precision precision_;
  Tape tape_;
  std::map<std::vector<std::uint64_t>, Register> known_;  ///< equal instructions share a register
};

}  // namespace weightsmith
