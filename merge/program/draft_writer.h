// Writes a draft: what is written twice is computed once, and each value belongs to the first pass
// in which it can be computed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "merge/program/draft.h"

namespace weightsmith::internal {

/// Its functions throw where a draft has more values or slots than there are numbers for.
class DraftWriter {
 public:
  explicit DraftWriter(Register sources);

  const Draft& draft() const { return draft_; }

  /// Scalars are rounded to the working precision already.
  Value Emit(OpCode code, std::array<Register, 3> in, std::array<Scalar, 2> scalar = {0, 0},
             const Grid& cells = {}, const RandomStream& stream = {});
  /// REQUIRES: not all that the operation reads are literals.
  Scalar Compute(const ScalarOp& operation);
  /// The number at an index that a function gives. REQUIRES: as Compute.
  Scalar Call(const ScalarFunction& function, std::vector<Scalar> in, std::size_t index);
  Scalar Gather(const Reduction& reduction);
  /// A number that is known before the first pass.
  Scalar Given(std::uint32_t number);

  KeptIndex Keep(Register value);
  /// `source` cannot be read before a kept value is there.
  void Delay(Register source, KeptIndex kept);
  /// `in` are kept for the transform; the rest of it but `out` is given.
  Value Compute(Transform transform, std::span<const Register> in);
  /// What a function of rows gives; it can be read in the pass in which its input can.
  Value ComputeRows(DraftRows rows);

  /// What the function that made a value says at an index.
  Scalar Told(Value transformed, std::size_t index);

  void Add(const Finding& finding) { draft_.findings.push_back(finding); }
  void Add(const Probe& probe) { draft_.tape.probes.push_back(probe); }
  std::span<Finding> findings() { return draft_.findings; }

 private:
  std::uint16_t LevelOf(Scalar scalar) const;
  std::uint16_t LevelOf(std::span<const Scalar> read) const;
  Slot NewSlot(const SlotMaker& maker);

  Draft draft_;
  std::map<std::vector<std::uint64_t>, Register> known_;  ///< equal instructions share a register
  std::map<std::vector<std::uint64_t>, Slot> known_slots_;
  std::map<Register, KeptIndex> known_kept_;
};

}  // namespace weightsmith::internal
