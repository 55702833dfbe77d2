#include "merge/arithmetic/region.h"

#include <algorithm>
#include <cmath>

namespace weightsmith::internal {

Region RegionOf(double width, double offset, std::uint64_t places, bool truncates) {
  if (width < 0) {
    offset += width;
    width = -width;
  }
  width = std::min(width, 1.0);
  if (offset < 0) offset = 1 + offset - std::trunc(offset);
  offset = std::fmod(offset, 1.0);
  const auto count = static_cast<double>(places);
  const auto place = [&](double share) {
    const double exact = share * count;
    return static_cast<std::uint64_t>(truncates ? std::trunc(exact) : std::nearbyint(exact));
  };
  const double end = width + offset;
  if (end <= 1) return {place(offset), place(end), false};
  return {place(end - 1), place(offset), true};
}

double ShareOfPlaces(const Region& region, std::uint64_t places) {
  const std::uint64_t between = std::max(region.first, region.end) - region.first;
  const double share = static_cast<double>(between) / static_cast<double>(places);
  return region.inverted ? 1 - share : share;
}

ParameterSpec WidthParameter(std::string_view doc) {
  return {.name = "width", .by_place = true, .low = -1, .high = 1, .doc = doc};
}

ParameterSpec OffsetParameter() {
  return {.name = "offset",
          .default_value = 0.0,
          .by_place = true,
          .low = -1,
          .high = 1,
          .doc = "Where those begin."};
}

ParameterSpec EndsParameter(std::string_view doc) {
  return {.name = "ends",
          .type = ParameterType::kWord,
          .default_value = 0,
          .words = {"rounded", "truncated"},
          .doc = doc};
}

Value TakeRegion(Lowering& tape, Value a, Value b, const Region& region, std::uint64_t whole,
                 std::uint64_t size) {
  const Value inside = region.inverted ? a : b;
  const Value outside = region.inverted ? b : a;
  if (region.first >= region.end) return outside;
  const Value head = tape.KeepExtra(outside, inside, whole, region.first * size);
  return tape.KeepExtra(head, outside, whole, region.end * size);
}

}  // namespace weightsmith::internal
