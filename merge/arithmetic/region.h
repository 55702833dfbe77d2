// A part of a row of places, given by its width and where it begins, both as shares of the whole.
#pragma once

#include <cstdint>
#include <string_view>

#include "merge/operator.h"

namespace weightsmith::internal {

/// From `first` to in front of `end`; or, `inverted`, all but those.
struct Region {
  std::uint64_t first = 0;
  std::uint64_t end = 0;
  bool inverted = false;
};

/// What goes over the end goes on at the start: an inverted region. A negative width lies in
/// front of the offset, a negative offset counts from the end. Ends are rounded to the nearest
/// place, ties to even, or truncated.
Region RegionOf(double width, double offset, std::uint64_t places, bool truncates = false);

/// How many of the places are in it, as a share. REQUIRES: there are some.
double ShareOfPlaces(const Region& region, std::uint64_t places);

/// `width`, `offset` and `ends`, what RegionOf is given.
ParameterSpec WidthParameter(std::string_view doc);
ParameterSpec OffsetParameter();
ParameterSpec EndsParameter(std::string_view doc);

/// b in the region, a elsewhere. A place has `size` elements, and after each `whole` the places
/// begin again.
Value TakeRegion(Lowering& tape, Value a, Value b, const Region& region, std::uint64_t whole,
                 std::uint64_t size);

}  // namespace weightsmith::internal
