#include "merge/program/numbering.h"

#include <limits>

#include "merge/program/primitive.h"

namespace weightsmith::internal {
namespace {

constexpr std::size_t kForever = std::numeric_limits<std::size_t>::max();

}  // namespace

Numbering::Numbering(const Tape& draft, const std::vector<bool>& used,
                     std::span<const Register> sources, std::span<const Register> held)
    : place_(draft.registers), last_use_(draft.registers, 0) {
  for (std::size_t i = 0; i < draft.instructions.size(); ++i) {
    if (!used[draft.instructions[i].out]) continue;
    for (const Register in : Reads(draft.instructions[i])) last_use_[in] = i;
  }
  for (const Register source : sources) {
    last_use_[source] = kForever;
    place_[source] = next_++;
  }
  for (const Register value : held) last_use_[value] = kForever;
  tape_.sources = next_;
  for (std::size_t i = 0; i < draft.instructions.size(); ++i) {
    if (used[draft.instructions[i].out]) {
      tape_.instructions.push_back(Renumber(draft.instructions[i], i));
    }
  }
  tape_.registers = next_;
}

Instruction Numbering::Renumber(Instruction instruction, std::size_t index) {
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

Register Numbering::Take() {
  if (free_.empty()) return next_++;
  const Register lowest = free_.top();
  free_.pop();
  return lowest;
}

}  // namespace weightsmith::internal
