#include "merge/program/needs.h"

#include <algorithm>

#include "merge/program/primitive.h"

namespace weightsmith::internal {

std::vector<const Instruction*> Makers(const Tape& tape) {
  std::vector<const Instruction*> makers(tape.registers);
  for (const Instruction& instruction : tape.instructions) makers[instruction.out] = &instruction;
  return makers;
}

Needs::Needs(const Draft& draft)
    : draft_(draft),
      makers_(Makers(draft.tape)),
      registers_(draft.tape.registers),
      slots_(draft.slots.size()),
      kept_(draft.kept.size()) {
  for (const Probe& probe : draft.tape.probes) compared_.emplace(probe.after, probe.before);
}

bool Needs::IsGathered(const Scalar& scalar) const {
  if (scalar.is_literal() || slots_[scalar.slot()]) return true;
  const SlotMaker& maker = draft_.slots[scalar.slot()];
  if (maker.told) return kept_[draft_.transforms[maker.index].out];
  return !maker.reduced && !maker.given &&
         std::ranges::all_of(Reads(draft_.scalars[maker.index]),
                             [&](const Scalar& in) { return IsGathered(in); });
}

void Needs::AddRegister(Register value) {
  if (registers_[value]) return;
  registers_[value] = true;
  open_.push_back(value);
}

void Needs::AddSlot(Slot slot) {
  if (slot == kNoSlot || slots_[slot]) return;
  slots_[slot] = true;
  const SlotMaker& maker = draft_.slots[slot];
  if (maker.given) return;
  if (maker.told) return AddKept(draft_.transforms[maker.index].out);
  if (maker.reduced) {
    for (const Register in : Reads(draft_.reductions[maker.index])) AddRegister(in);
    return;
  }
  for (const Scalar& in : Reads(draft_.scalars[maker.index])) AddSlot(in.slot());
}

void Needs::AddKept(KeptIndex index) {
  if (kept_[index]) return;
  kept_[index] = true;
  const KeptMaker& maker = draft_.kept[index];
  if (maker.by_row) return AddRegister(draft_.rows[maker.index].in);
  if (!maker.transformed) return AddRegister(static_cast<Register>(maker.index));
  for (const KeptIndex in : draft_.transforms[maker.index].in) AddKept(in);
}

void Needs::Close() {
  while (!open_.empty()) {
    const Register value = open_.back();
    open_.pop_back();
    if (const Instruction* maker = makers_[value]) {
      for (const Register in : Reads(*maker)) AddRegister(in);
      for (const Slot slot : maker->slot) AddSlot(slot);
    }
    for (const auto* waits : {&draft_.read_as, &draft_.waits_for}) {
      if (const auto found = waits->find(value); found != waits->end()) AddKept(found->second);
    }
    const auto [first, end] = compared_.equal_range(value);
    for (auto it = first; it != end; ++it) AddRegister(it->second);
  }
}

}  // namespace weightsmith::internal
