// From a draft to what is run: passes and a last tape that have what is needed and nothing else.
#pragma once

#include <map>
#include <span>
#include <vector>

#include "merge/program/draft.h"

namespace weightsmith::internal {

struct FinishedProgram {
  std::vector<Pass> passes;  ///< before the tape
  Tape tape;
  std::vector<Register> sources;  ///< number in the draft of each source that is read, in order
  std::vector<KeptIndex> kept;    ///< that the tape reads as sources behind those
  std::vector<Value> results;
  std::vector<Slot> slots;               ///< of those that were asked for
  std::map<KeptIndex, KeptIndex> whole;  ///< kept values by their number in the draft
  std::vector<GivenSlot> given;          ///< in the order of their slots
  Slot slot_count = 0;
  KeptIndex kept_count = 0;    ///< rows included
  std::vector<RowValue> rows;  ///< each reads those before it alone
  Findings findings;
};

/// What `results` and `slots` need. Sources, registers, slots and kept values are renumbered. A
/// probe stays when what it watches is computed anyway, a finding when what its step gives is, and
/// when it takes no source, pass, reduction or kept value that is not there without it.
FinishedProgram Finish(const Draft& draft, std::span<const Value> results,
                       std::span<const Slot> slots);

}  // namespace weightsmith::internal
