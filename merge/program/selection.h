// The magnitude of some rank in a tensor, exactly, mostly in one pass over it, at most in three: a
// sample proposes a band of values that holds it, a pass counts what lies above the band and lists
// what lies inside, or counts that by value where it is much.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "merge/program/rank.h"

namespace weightsmith::internal {

class Selection {
 public:
  Selection(const Rank& rank, std::uint64_t elements);
  /// The trunc(fraction·elements)-th largest.
  Selection(double fraction, std::uint64_t elements)
      : Selection(Rank{.fraction = fraction}, elements) {}

  /// Values of a sample that is spread over the tensor, which makes the first band; a sample of all
  /// elements is the result. To be called before the first pass.
  void Propose(std::span<const float> sample) {
    Selection* const self = this;
    ProposeAll(std::span(&self, 1), sample);
  }

  /// The same for several of one tensor, of one sample.
  static void ProposeAll(std::span<Selection* const> selections, std::span<const float> sample);

  /// Whether value() is known without any pass, or any other one.
  bool known() const { return known_; }

  /// Counts values of the tensor. Any thread.
  void Count(std::span<const float> values);

  /// Takes what a whole pass has counted: afterwards known(), or the next pass has a narrower band.
  void EndPass();

  /// NaN where none is meant, which no magnitude reaches. Where a lower limit (kLargest, kLowerEnd)
  /// is the smallest of all, 0.
  float value() const { return value_; }

  /// Bytes that one takes, at most.
  static constexpr std::uint64_t kBytes = std::uint64_t{6} << 20;

 private:
  /// Places in the order of a sample, between which the rank is looked for.
  struct Places {
    bool to_end = false;  ///< no end above
    bool from_zero = false;
    std::size_t upper = 0;
    std::size_t lower = 0;
  };

  void GuessRank(std::span<const float> sample);
  Places PlacesIn(std::size_t sample) const;
  void SetBand(const Places& places, std::uint32_t upper, std::uint32_t lower);
  void SetBand(std::uint32_t low, std::uint32_t high);
  void Know(std::uint32_t bits);
  void KnowNone();
  std::size_t CounterOf(std::uint32_t bits) const { return (bits - low_) >> shift_; }
  void CountByValue(std::span<const std::uint32_t> inside);

  void CountZeros(std::span<const float> values);

  std::uint64_t elements_;
  std::uint64_t rank_ = 0;  ///< counted from the largest, which is 1; while it is open, a guess
  /// kNotZero: its fraction, until all zeros are counted.
  std::optional<double> open_{};
  std::atomic<std::uint64_t> zeros_ = 0;
  std::uint32_t low_ = 0;
  std::uint32_t high_ = 0;  ///< behind the last value of the band
  unsigned shift_ = 0;      ///< values of a counter, as a power of 2
  std::atomic<std::uint64_t> above_ = 0;
  std::atomic<std::uint64_t> inside_ = 0;
  std::unique_ptr<std::uint32_t[]> list_;  ///< the first of those inside
  std::once_flag counters_made_;
  /// Of those that the list has no room for; null where there are none.
  std::unique_ptr<std::atomic<std::uint64_t>[]> counters_;
  bool known_ = false;
  float value_ = 0;
};

/// How many elements a sample of a tensor should have; 0 where none is worth taking.
std::uint64_t SampleSize(std::uint64_t elements);

}  // namespace weightsmith::internal
