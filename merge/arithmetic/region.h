// A part of a row of places, given by its width and where it begins, both as shares of the whole.
#pragma once

#include <cstdint>

namespace weightsmith::internal {

/// From `first` to in front of `end`; or, `inverted`, all but those.
struct Region {
  std::uint64_t first = 0;
  std::uint64_t end = 0;
  bool inverted = false;
};

/// What goes over the end goes on at the beginning: an inverted region. A negative width lies in
/// front of the offset, a negative offset counts from the end. Ends are rounded to the nearest
/// place, ties to even, or truncated.
Region RegionOf(double width, double offset, std::uint64_t places, bool truncates = false);

/// How many of the places are in it, as a share. REQUIRES: there are some.
double ShareOfPlaces(const Region& region, std::uint64_t places);

}  // namespace weightsmith::internal
