// The registers of one tape of a program: of a draft's, which are one for each value, as few as
// that tape needs.
#pragma once

#include <cstddef>
#include <functional>
#include <queue>
#include <span>
#include <utility>
#include <vector>

#include "merge/program/tape.h"

namespace weightsmith::internal {

/// Gives the values of a tape places: sources first, then the lowest register whose value is not
/// needed any more, so that few tiles are in use. What is held is never overwritten.
class Numbering {
 public:
  /// `used`: registers that the tape computes or reads; `sources` of those, in order; `held` until
  /// the tape has run.
  Numbering(const Tape& draft, const std::vector<bool>& used, std::span<const Register> sources,
            std::span<const Register> held);

  Register operator[](Register old) const { return place_[old]; }
  Tape&& TakeTape() { return std::move(tape_); }

 private:
  /// The instruction with new numbers; its output may take the place of an input that ends here.
  Instruction Renumber(Instruction instruction, std::size_t index);
  Register Take();

  std::vector<Register> place_;
  std::vector<std::size_t> last_use_;
  std::priority_queue<Register, std::vector<Register>, std::greater<>> free_;
  Register next_ = 0;
  Tape tape_;
};

}  // namespace weightsmith::internal
