#include "merge/program/coefficients.h"

namespace weightsmith {
namespace {

using Combination = std::optional<std::vector<double>>;

/// s·x + t·y
Combination Combine(double s, const Combination& x, double t, const Combination& y) {
  if (!x || !y) return std::nullopt;
  std::vector<double> sum(x->size());
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] = s * (*x)[i] + t * (*y)[i];
  return sum;
}

Combination Evaluate(const Instruction& instruction, const std::vector<Combination>& registers,
                     std::size_t sources) {
  const auto& [code, out, in, scalar] = instruction;
  const Combination& x = registers[in[0]];
  const Combination& y = registers[in[1]];
  const Combination& z = registers[in[2]];
  const Combination zero = std::vector<double>(sources, 0.0);
  switch (code) {
    case OpCode::kConstant:
      return scalar[0] == 0 ? zero : std::nullopt;
    case OpCode::kScale:
      return Combine(scalar[0], x, 0, zero);
    case OpCode::kDivide:
      return Combine(1 / scalar[0], x, 0, zero);
    case OpCode::kAdd:
      return Combine(1, x, 1, y);
    case OpCode::kSubtract:
      return Combine(1, x, -1, y);
    case OpCode::kBlend:
      return Combine(scalar[0], x, scalar[1], y);
    case OpCode::kAddScaled:
      return Combine(1, x, scalar[0], y);
    case OpCode::kAddDifference:
      return Combine(1, x, scalar[0], Combine(1, y, -1, z));
    case OpCode::kKeepExtra:
      return x == y ? x : std::nullopt;
    case OpCode::kMultiply:
    case OpCode::kTrainDifference:
    case OpCode::kMin:
    case OpCode::kMax:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::vector<double>> LinearCoefficients(const Tape& tape, Register result) {
  std::vector<Combination> registers(tape.registers);
  for (Register source = 0; source < tape.sources; ++source) {
    registers[source] = std::vector<double>(tape.sources, 0.0);
    (*registers[source])[source] = 1;
  }
  for (const Instruction& instruction : tape.instructions) {
    registers[instruction.out] = Evaluate(instruction, registers, tape.sources);
  }
  return registers[result];
}

}  // namespace weightsmith
