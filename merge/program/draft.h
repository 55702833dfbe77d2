// The arithmetic of one tensor while it is written down: every value has a register of its own, and
// belongs to the first pass in which it can be computed.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "merge/program/finding.h"
#include "merge/program/program.h"

namespace weightsmith::internal {

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

/// What fills a slot at the end of pass number `level`.
struct SlotMaker {
  std::uint16_t level = 0;
  bool reduced = false;    ///< by a reduction; else by an operation
  std::size_t index = 0;   ///< of it
  bool given = false;      ///< it is known before the first pass; `index` says which number
  bool told = false;       ///< by the transform `index`
  std::size_t number = 0;  ///< which of those that it tells
};

/// What gives a kept value at the end of pass number `level`.
struct KeptMaker {
  std::uint16_t level = 0;
  bool transformed = false;  ///< a transform of other kept values; else a register
  std::size_t index = 0;     ///< of it
  bool by_row = false;       ///< it is never kept: `index` is that of its function of rows
};

/// A function of rows of a register.
struct DraftRows {
  std::shared_ptr<const TensorCall> call{};  ///< never null
  Register in = 0;
};

struct Draft {
  Tape tape;
  std::vector<std::uint16_t> levels;  ///< by register
  std::vector<Reduction> reductions;
  std::vector<ScalarOp> scalars;
  std::vector<SlotMaker> slots;
  std::vector<Transform> transforms;
  std::vector<KeptMaker> kept;
  std::vector<DraftRows> rows;
  std::map<Register, KeptIndex> read_as;    ///< registers that a kept value fills
  std::map<Register, KeptIndex> waits_for;  ///< sources that can be read only after a kept value
  std::vector<Finding> findings;
};

}  // namespace weightsmith::internal
