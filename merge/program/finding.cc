#include "merge/program/finding.h"

#include <algorithm>
#include <cmath>

namespace weightsmith::internal {
namespace {

double MeanOfCells(const Scalar& scalar, const SlotValues& slots) {
  if (scalar.is_literal()) return scalar.literal();
  double sum = 0;
  double count = 0;
  for (const double number : slots[scalar.slot()]) {
    if (!std::isfinite(number)) continue;
    sum += number;
    ++count;
  }
  return count > 0 ? sum / count : std::numeric_limits<double>::quiet_NaN();
}

template <class Real>
std::uint64_t CountNotZero(std::span<const Real> tile) {
  return CountNotBelow(tile, std::numeric_limits<Real>::denorm_min());
}

template <class Real>
Found SumPartsOf(std::span<const Real> tile) {
  Found found;
  for (const Real share : tile) {
    if (std::isnan(share)) continue;
    const double parts = static_cast<double>(kPartsOfShare);
    const double whole = std::clamp(static_cast<double>(share), 0.0, 1.0) * parts + 0.5;
    found.marked += static_cast<std::uint64_t>(whole);
    found.seen += kPartsOfShare;
  }
  return found;
}

}  // namespace

std::string_view ToString(Unit unit) {
  switch (unit) {
    case Unit::kNumber:
      return "number";
    case Unit::kShare:
      return "share";
    case Unit::kDegrees:
      return "degrees";
    case Unit::kCount:
      return "count";
  }
  return "";
}

double Found::Value() const {
  return seen > 0 ? static_cast<double>(marked) / static_cast<double>(seen) : number;
}

Found& Found::operator+=(const Found& other) {
  if (std::isnan(number)) number = other.number;
  if (std::isnan(of)) of = other.of;
  marked += other.marked;
  seen += other.seen;
  return *this;
}

Found NumbersOf(const Finding& finding, const SlotValues& slots) {
  Found found{.number = MeanOfCells(finding.number, slots)};
  if (finding.of) found.of = MeanOfCells(*finding.of, slots);
  return found;
}

bool LooksAt(std::uint64_t first, std::size_t n, std::uint64_t elements) {
  const std::uint64_t tiles = (elements + kTile - 1) / kTile;
  const std::uint64_t distance = std::max<std::uint64_t>(1, tiles / kTilesLookedAt) * kTile;
  // Tiles may begin anywhere: a place that is looked at lies in this one.
  return (first + distance - 1) / distance * distance < first + n;
}

std::uint64_t CountMarked(std::span<const float> tile) {
  return CountNotZero(tile);
}

std::uint64_t CountMarked(std::span<const double> tile) {
  return CountNotZero(tile);
}

Found SumShares(std::span<const float> tile) {
  return SumPartsOf(tile);
}

Found SumShares(std::span<const double> tile) {
  return SumPartsOf(tile);
}

}  // namespace weightsmith::internal
