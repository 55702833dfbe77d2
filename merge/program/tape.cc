#include "merge/program/tape.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "merge/program/tape.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "merge/program/tape-inl.h"

#if HWY_ONCE
namespace weightsmith::internal {
namespace {

HWY_EXPORT(RunFloat);
HWY_EXPORT(RunDouble);
HWY_EXPORT(MeasureFloat);
HWY_EXPORT(MeasureDouble);
HWY_EXPORT(CountFloat);
HWY_EXPORT(CountDouble);
HWY_EXPORT(CountDifferentElements);

}  // namespace

Effect& Effect::operator+=(const Effect& other) {
  elements += other.elements;
  changed += other.changed;
  change_squares += other.change_squares;
  before_squares += other.before_squares;
  rounded += other.rounded;
  return *this;
}

Tape Bind(const Tape& tape, const SlotValues& slots, bool wide) {
  Tape bound = tape;
  for (Instruction& instruction : bound.instructions) {
    for (std::size_t i = 0; i < instruction.slot.size(); ++i) {
      Slot& slot = instruction.slot[i];
      if (slot == kNoSlot || instruction.code == OpCode::kSpread) continue;
      const double value = slots[slot].front();
      instruction.scalar[i] = wide ? value : static_cast<double>(static_cast<float>(value));
      slot = kNoSlot;
    }
  }
  return bound;
}

void RunTape(const Tape& tape, std::span<float> registers, std::size_t n, std::uint64_t first,
             const SlotValues& slots) {
  HWY_DYNAMIC_DISPATCH(RunFloat)(tape, registers.data(), n, first, slots);
}

void RunTape(const Tape& tape, std::span<double> registers, std::size_t n, std::uint64_t first,
             const SlotValues& slots) {
  HWY_DYNAMIC_DISPATCH(RunDouble)(tape, registers.data(), n, first, slots);
}

Effect MeasureTile(const Probe& probe, std::span<const float> registers, std::size_t n) {
  return HWY_DYNAMIC_DISPATCH(MeasureFloat)(probe, registers.data(), n);
}

Effect MeasureTile(const Probe& probe, std::span<const double> registers, std::size_t n) {
  return HWY_DYNAMIC_DISPATCH(MeasureDouble)(probe, registers.data(), n);
}

std::size_t CountNotBelow(std::span<const float> values, float limit) {
  return HWY_DYNAMIC_DISPATCH(CountFloat)(values.data(), values.size(), limit);
}

std::size_t CountNotBelow(std::span<const double> values, double limit) {
  return HWY_DYNAMIC_DISPATCH(CountDouble)(values.data(), values.size(), limit);
}

std::size_t CountDifferent(std::span<const std::byte> a, std::span<const std::byte> b,
                           std::size_t size) {
  return HWY_DYNAMIC_DISPATCH(CountDifferentElements)(a.data(), b.data(), a.size() / size, size);
}

}  // namespace weightsmith::internal
#endif  // HWY_ONCE
