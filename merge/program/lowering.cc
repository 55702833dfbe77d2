#include "merge/program/lowering.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <limits>
#include <map>
#include <queue>
#include <utility>
#include <vector>

#include "core/base/error.h"

namespace weightsmith {
namespace {

/// How many registers an instruction reads.
std::size_t Inputs(OpCode code) {
  switch (code) {
    case OpCode::kConstant:
      return 0;
    case OpCode::kScale:
    case OpCode::kDivide:
      return 1;
    case OpCode::kAdd:
    case OpCode::kSubtract:
    case OpCode::kMultiply:
    case OpCode::kBlend:
    case OpCode::kAddScaled:
    case OpCode::kMin:
    case OpCode::kMax:
    case OpCode::kKeepExtra:
      return 2;
    case OpCode::kAddDifference:
    case OpCode::kTrainDifference:
      return 3;
  }
  return 0;
}

std::span<const Register> Reads(const Instruction& instruction) {
  return std::span(instruction.in).first(Inputs(instruction.code));
}

/// Which registers the results need, and which probes watch one of those.
struct Needs {
  std::vector<bool> registers;
  std::vector<Probe> probes;
};

/// A probe is kept when what it watches is computed anyway; the value it compares with is then
/// needed too, which may make another probe's value needed.
Needs FindNeeds(const Tape& tape, std::span<const Value> results) {
  Needs needs{std::vector<bool>(tape.registers, false), {}};
  std::vector<const Instruction*> makers(tape.registers);
  for (const Instruction& instruction : tape.instructions) makers[instruction.out] = &instruction;
  std::multimap<Register, Register> compared;  // what probes watch, and with what
  for (const Probe& probe : tape.probes) compared.emplace(probe.after, probe.before);

  std::vector<Register> open;
  const auto need = [&](Register value) {
    if (needs.registers[value]) return;
    needs.registers[value] = true;
    open.push_back(value);
  };
  for (const Value& result : results) {
    if (!result.zero()) need(result.reg());
  }
  while (!open.empty()) {
    const Register value = open.back();
    open.pop_back();
    if (makers[value] != nullptr) std::ranges::for_each(Reads(*makers[value]), need);
    const auto [first, end] = compared.equal_range(value);
    for (auto it = first; it != end; ++it) need(it->second);
  }
  for (const Probe& probe : tape.probes) {
    if (needs.registers[probe.after]) needs.probes.push_back(probe);
  }
  return needs;
}

/// Gives values places: sources first, then the lowest register whose value nobody needs any more,
/// so that few tiles are in use. What results and probes see is never overwritten.
class Numbering {
 public:
  Numbering(const Tape& tape, const Needs& needs, std::span<const Value> results)
      : place_(tape.registers), last_use_(tape.registers, 0) {
    for (std::size_t i = 0; i < tape.instructions.size(); ++i) {
      if (!needs.registers[tape.instructions[i].out]) continue;
      for (const Register in : Reads(tape.instructions[i])) last_use_[in] = i;
    }
    for (Register source = 0; source < tape.sources; ++source) {
      last_use_[source] = kForever;
      if (needs.registers[source]) place_[source] = next_++;
    }
    for (const Value& result : results) {
      if (!result.zero()) last_use_[result.reg()] = kForever;
    }
    for (const Probe& probe : needs.probes) {
      last_use_[probe.after] = kForever;
      last_use_[probe.before] = kForever;
    }
  }

  Register operator[](Register old) const { return place_[old]; }
  Register registers() const { return next_; }

  /// The instruction with new numbers; its output may take the place of an input that ends here.
  Instruction Renumber(Instruction instruction, std::size_t index) {
    const std::size_t inputs = Inputs(instruction.code);
    for (std::size_t i = 0; i < inputs; ++i) {
      const Register old = instruction.in[i];
      instruction.in[i] = place_[old];
      if (last_use_[old] != index) continue;
      free_.push(place_[old]);
      last_use_[old] = kForever;  // once, although it may be read twice
    }
    place_[instruction.out] = Take();
    instruction.out = place_[instruction.out];
    return instruction;
  }

 private:
  static constexpr std::size_t kForever = std::numeric_limits<std::size_t>::max();

  Register Take() {
    if (free_.empty()) return next_++;
    const Register lowest = free_.top();
    free_.pop();
    return lowest;
  }

  std::vector<Register> place_;
  std::vector<std::size_t> last_use_;
  std::priority_queue<Register, std::vector<Register>, std::greater<>> free_;
  Register next_ = 0;
};

}  // namespace

Lowering::Lowering(Precision precision, Register sources) : precision_(precision) {
  tape_.sources = sources;
  tape_.registers = sources;
}

double Lowering::Round(double scalar) const {
  return precision_ == Precision::kF32 ? static_cast<double>(static_cast<float>(scalar)) : scalar;
}

Value Lowering::Emit(OpCode code, std::array<Register, 3> in, std::array<double, 2> scalar) {
  const std::vector<std::uint64_t> key{static_cast<std::uint64_t>(code),
                                       in[0],
                                       in[1],
                                       in[2],
                                       std::bit_cast<std::uint64_t>(scalar[0]),
                                       std::bit_cast<std::uint64_t>(scalar[1])};
  const auto [known, fresh] = known_.try_emplace(key, tape_.registers);
  if (fresh) {
    if (tape_.registers == std::numeric_limits<Register>::max()) {
      throw Error(ErrorCode::kResources, "the arithmetic of one tensor needs over 65,535 values",
                  "Split the recipe: write an intermediate result and merge that.");
    }
    tape_.instructions.push_back({code, tape_.registers++, in, scalar});
  }
  return Value::Of(known->second);
}

Register Lowering::Hold(Value x) {
  return x.zero() ? Constant(0).reg() : x.reg();
}

Value Lowering::Constant(double s) {
  return Emit(OpCode::kConstant, {}, {Round(s)});
}

Value Lowering::Scale(double s, Value x) {
  s = Round(s);
  if (x.zero() || s == 0) return Value::Zero();
  if (s == 1) return x;
  return Emit(OpCode::kScale, {x.reg()}, {s});
}

Value Lowering::Divide(Value x, double s) {
  s = Round(s);
  if (x.zero() || s == 1) return x;
  return Emit(OpCode::kDivide, {x.reg()}, {s});
}

Value Lowering::Add(Value x, Value y) {
  if (x.zero()) return y;
  if (y.zero()) return x;
  return Emit(OpCode::kAdd, {x.reg(), y.reg()});
}

Value Lowering::Subtract(Value x, Value y) {
  if (y.zero()) return x;
  if (x.zero()) return Scale(-1, y);
  return Emit(OpCode::kSubtract, {x.reg(), y.reg()});
}

Value Lowering::Multiply(Value x, Value y) {
  if (x.zero() || y.zero()) return Value::Zero();
  return Emit(OpCode::kMultiply, {x.reg(), y.reg()});
}

Value Lowering::Blend(double s, Value x, double t, Value y) {
  s = Round(s);
  t = Round(t);
  if (s == 0 || x.zero()) return Scale(t, y);
  if (t == 0 || y.zero()) return Scale(s, x);
  if (s == 1) return AddScaled(x, t, y);
  if (t == 1) return AddScaled(y, s, x);
  return Emit(OpCode::kBlend, {x.reg(), y.reg()}, {s, t});
}

Value Lowering::AddScaled(Value x, double s, Value y) {
  s = Round(s);
  if (x.zero()) return Scale(s, y);
  if (s == 0 || y.zero()) return x;
  if (s == 1) return Add(x, y);
  return Emit(OpCode::kAddScaled, {x.reg(), y.reg()}, {s});
}

Value Lowering::AddDifference(Value x, double s, Value y, Value z) {
  s = Round(s);
  if (s == 0) return x;
  if (z.zero()) return AddScaled(x, s, y);
  if (y.zero()) return AddScaled(x, -s, z);
  if (x.zero()) return Scale(s, Subtract(y, z));
  return Emit(OpCode::kAddDifference, {x.reg(), y.reg(), z.reg()}, {s});
}

Value Lowering::TrainDifference(Value x, double s, Value y, Value z) {
  s = Round(s);
  if (s == 0 || (y.zero() && z.zero())) return x;
  return Emit(OpCode::kTrainDifference, {Hold(x), Hold(y), Hold(z)}, {s});
}

Value Lowering::Min(Value x, Value y) {
  return x == y ? x : Emit(OpCode::kMin, {Hold(x), Hold(y)});
}

Value Lowering::Max(Value x, Value y) {
  return x == y ? x : Emit(OpCode::kMax, {Hold(x), Hold(y)});
}

Value Lowering::KeepExtra(Value shared, Value wide, std::uint64_t row,
                          std::uint64_t shared_columns) {
  if (shared == wide || shared_columns == 0) return wide;
  if (shared_columns >= row) return shared;
  return Emit(OpCode::kKeepExtra, {Hold(shared), Hold(wide)},
              {static_cast<double>(row), static_cast<double>(shared_columns)});
}

void Lowering::AddProbe(const Probe& probe) {
  if (probe.against_zero || probe.before != probe.after) tape_.probes.push_back(probe);
}

Lowering::Finished Lowering::Finish(std::span<const Value> results) && {
  const Needs needs = FindNeeds(tape_, results);
  Numbering numbering(tape_, needs, results);

  Finished finished;
  for (Register source = 0; source < tape_.sources; ++source) {
    if (needs.registers[source]) finished.sources.push_back(source);
  }
  Tape& tape = finished.tape;
  tape.sources = static_cast<Register>(finished.sources.size());
  for (std::size_t i = 0; i < tape_.instructions.size(); ++i) {
    if (!needs.registers[tape_.instructions[i].out]) continue;
    tape.instructions.push_back(numbering.Renumber(tape_.instructions[i], i));
  }
  tape.registers = numbering.registers();
  for (Probe probe : needs.probes) {
    probe.after = numbering[probe.after];
    probe.before = numbering[probe.before];
    tape.probes.push_back(probe);
  }
  for (const Value& result : results) {
    finished.results.push_back(result.zero() ? result : Value::Of(numbering[result.reg()]));
  }
  return finished;
}

}  // namespace weightsmith
