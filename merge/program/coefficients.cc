#include "merge/program/coefficients.h"

#include <algorithm>
#include <span>
#include <utility>

#include "merge/program/primitive.h"

namespace weightsmith::internal {
namespace {

using Combination = std::optional<std::vector<double>>;

double WeightOf(Weight weight, const Instruction& instruction) {
  switch (weight) {
    case Weight::kOne:
      return 1;
    case Weight::kMinusOne:
      return -1;
    case Weight::kFirst:
      return instruction.scalar[0];
    case Weight::kSecond:
      return instruction.scalar[1];
    case Weight::kOverFirst:
      return 1 / instruction.scalar[0];
    case Weight::kMinusFirst:
      return -instruction.scalar[0];
  }
  return 0;
}

Combination Evaluate(const Instruction& instruction, const std::vector<Combination>& registers,
                     std::size_t sources) {
  const bool known = std::ranges::all_of(instruction.slot, [](Slot s) { return s == kNoSlot; });
  if (!known) return std::nullopt;
  const Primitive& primitive = PrimitiveOf(instruction.code);
  const std::span<const Register> inputs = std::span(instruction.in).first(primitive.inputs);
  std::vector<double> sum(sources, 0.0);
  switch (primitive.linearity) {
    case Linearity::kConstant:
      return instruction.scalar[0] == 0 ? Combination(std::move(sum)) : std::nullopt;
    case Linearity::kWeights:
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        const Combination& input = registers[inputs[i]];
        if (!input) return std::nullopt;
        const double weight = WeightOf(primitive.weights[i], instruction);
        for (std::size_t s = 0; s < sources; ++s) sum[s] += weight * (*input)[s];
      }
      return sum;
    case Linearity::kSameInputs: {
      const Combination& first = registers[inputs[0]];
      const auto same = [&](Register in) { return registers[in] == first; };
      return std::ranges::all_of(inputs, same) ? first : std::nullopt;
    }
    case Linearity::kNone:
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

}  // namespace weightsmith::internal
