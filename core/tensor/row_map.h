// Rows of theirs are rows of ours: how a tensor under another name (a part of a fused matrix, a
// swapped half, a module of an adapter) lies in a tensor of the model.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

namespace weightsmith::internal {

/// A run of rows in both tensors. A count of 0 is all of both; `Counted` gives it a number.
struct RowMap {
  std::uint64_t theirs = 0;  ///< first row there
  std::uint64_t ours = 0;    ///< first row here
  std::uint64_t count = 0;

  bool all() const { return count == 0; }
  /// The same where both tensors have `rows` rows.
  RowMap Counted(std::uint64_t rows) const { return all() ? RowMap{theirs, ours, rows} : *this; }
  /// One behind the last of ours. REQUIRES: counted.
  std::uint64_t end() const { return ours + count; }
  /// REQUIRES: a row of ours in [ours, end()).
  std::uint64_t TheirRow(std::uint64_t our_row) const { return our_row - ours + theirs; }

  bool operator==(const RowMap&) const = default;
};

/// Whether a row of ours is in both. REQUIRES: counted.
inline bool ShareOurRows(const RowMap& a, const RowMap& b) {
  return a.ours < b.end() && b.ours < a.end();
}

/// Rows [first, end).
struct RowRange {
  std::uint64_t first = 0;
  std::uint64_t end = 0;
};

/// The least range that has all rows of ours that are in the maps; {rows, 0} for none. REQUIRES:
/// counted, in a tensor of `rows` rows.
inline RowRange RangeOfOurs(std::span<const RowMap> maps, std::uint64_t rows) {
  RowRange range = {rows, 0};
  for (const RowMap& map : maps) {
    range.first = std::min(range.first, map.ours);
    range.end = std::max(range.end, map.end());
  }
  return range;
}

/// How many rows of ours are in the maps. REQUIRES: counted.
inline std::uint64_t CountOurs(std::span<const RowMap> maps) {
  std::uint64_t count = 0;
  for (const RowMap& map : maps) count += map.count;
  return count;
}

}  // namespace weightsmith::internal
