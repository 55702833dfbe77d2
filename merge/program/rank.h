// A place in the order of a tensor's magnitudes.
#pragma once

#include <cstdint>

namespace weightsmith::internal {

/// Which of n magnitudes in their order is meant.
struct Rank {
  enum class Rule : std::uint8_t {
    kLargest,   ///< the trunc(fraction·n)-th largest
    kSmallest,  ///< the trunc(fraction·n)-th smallest, but at least the smallest
    kBehind,    ///< the one behind trunc(fraction·n) smaller ones, but at most the largest
    kQuantile,  ///< the one behind floor(fraction·(n - 1)) smaller ones: no interpolation
    kNotZero,   ///< the trunc(fraction·m)-th largest, m of n not being 0
    kLowerEnd,  ///< the least of the trunc(fraction·n) that follow the trunc(second·n) largest
    kUpperEnd,  ///< the largest of those; where n ends before, both lie as much higher
  };
  Rule rule = Rule::kLargest;
  double fraction = 0;
  double second = 0;

  bool operator==(const Rank&) const = default;
};

}  // namespace weightsmith::internal
