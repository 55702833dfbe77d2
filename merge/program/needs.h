// What some values and scalars of a draft need of it, over all passes: registers, slots and kept
// values, by their numbers in the draft.
#pragma once

#include <map>
#include <vector>

#include "merge/program/draft.h"

namespace weightsmith::internal {

/// The instruction that makes each register; null for sources. REQUIRES: the tape outlives them.
std::vector<const Instruction*> Makers(const Tape& tape);

/// REQUIRES: the draft outlives it.
class Needs {
 public:
  explicit Needs(const Draft& draft);

  bool HasRegister(Register value) const { return registers_[value]; }
  bool HasSlot(Slot slot) const { return slots_[slot]; }
  bool HasKept(KeptIndex index) const { return kept_[index]; }
  /// Whether a number is known without a reduction that is not needed already.
  bool IsGathered(const Scalar& scalar) const;

  void AddRegister(Register value);
  void AddSlot(Slot slot);
  /// Adds what follows from all that was added. A probe is kept when what it watches is computed
  /// anyway; the value that it compares with is then needed too, which may make another probe's
  /// needed.
  void Close();

 private:
  void AddKept(KeptIndex index);

  const Draft& draft_;
  std::vector<const Instruction*> makers_;
  std::vector<bool> registers_;
  std::vector<bool> slots_;
  std::vector<bool> kept_;
  std::multimap<Register, Register> compared_;  ///< what probes watch, and with what
  std::vector<Register> open_;
};

}  // namespace weightsmith::internal
