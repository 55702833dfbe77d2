// What a step says of a tensor in its method's own words: the angle between its operands, the share
// of a difference that it kept, a rank. Reports show it; results do not depend on it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "merge/program/scalar.h"
#include "merge/program/tape.h"

namespace weightsmith::internal {

enum class Unit : std::uint8_t {
  kNumber,   ///< "ratio 0.71"
  kShare,    ///< from 0 to 1: "kept 20.0 %"
  kDegrees,  ///< "angle 3.1°"
  kCount,    ///< of so many, where that is said: "rank 48 of 320"
};
std::string_view ToString(Unit unit);

/// What a finding is about: the step as a whole, or one of the operands that it was given.
class Subject {
 public:
  static Subject Step() { return {}; }
  /// `index` in Arguments::operands.
  static Subject Operand(std::size_t index) { return {false, index}; }
  /// `index` in Arguments::list.
  static Subject Entry(std::size_t index) { return {true, index}; }

  /// Among `operands` that are followed by the list; nothing of the step.
  std::optional<std::size_t> IndexBehind(std::size_t operands) const {
    if (!index_) return std::nullopt;
    return listed_ ? operands + *index_ : *index_;
  }
  bool operator==(const Subject&) const = default;

 private:
  Subject() = default;
  Subject(bool listed, std::size_t index) : listed_(listed), index_(index) {}

  bool listed_ = false;
  std::optional<std::size_t> index_{};
};

struct Finding {
  std::string_view label;  ///< a literal: "kept"
  Unit unit = Unit::kNumber;
  Subject subject = Subject::Step();
  Scalar number = 0;
  std::optional<Scalar> of{};        ///< of a count: out of how many
  std::optional<Register> marked{};  ///< in place of a number: the share of elements that are not 0
  bool rare = false;                 ///< where it is 0 nothing is said of it
  bool mean = false;                 ///< of `marked` the mean, of shares from 0 to 1
  std::uint32_t step = 0;            ///< index in Plan::steps
  std::string operand{};             ///< the recipe's name of the subject; empty: the step
  /// What the step gives. Where that is not computed, nor is the finding.
  std::optional<Register> result{};

  bool operator==(const Finding&) const = default;
};

/// The findings of a task, and what marks elements for them.
struct Findings {
  Tape tape{};
  std::vector<Register> operands{};  ///< its sources, as those of a pass
  std::vector<Finding> list{};

  bool operator==(const Findings&) const = default;
};

/// What came of a finding: of a tensor, or of a part of one.
struct Found {
  double number = std::numeric_limits<double>::quiet_NaN();
  double of = std::numeric_limits<double>::quiet_NaN();
  std::uint64_t marked = 0;
  std::uint64_t seen = 0;  ///< elements that were looked at; of a mean both are in kPartsOfShare

  /// NaN where nothing was found.
  double Value() const;
  Found& operator+=(const Found& other);
};

/// The numbers of a finding that has a number: those of slots are known. Of a slot that has a
/// number for each cell, their mean, without those that are none.
Found NumbersOf(const Finding& finding, const SlotValues& slots);

/// Whether elements from `first` on are looked at for shares: of a small tensor all tiles, of a
/// larger one about kTilesLookedAt in equal distances.
bool LooksAt(std::uint64_t first, std::size_t n, std::uint64_t elements);
inline constexpr std::uint64_t kTilesLookedAt = 64;

/// How many of a tile's elements are not 0; a NaN is not.
std::uint64_t CountMarked(std::span<const float> tile);
std::uint64_t CountMarked(std::span<const double> tile);

/// What a tile adds to a mean of shares: each as a whole number of parts, so that the order of sums
/// does not matter. A NaN is not seen.
Found SumShares(std::span<const float> tile);
Found SumShares(std::span<const double> tile);
inline constexpr std::uint64_t kPartsOfShare = 1 << 20;

}  // namespace weightsmith::internal
