// Rotations of neighbouring rows, and sums of rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "merge/program/matrix.h"

namespace weightsmith::internal {

/// Columns that are rotated at once, which lie together for it.
inline constexpr std::size_t kRotatedColumns = 16;

struct Rotation {
  double cosine = 1;
  double sine = 0;
};

/// Rotations of a row with the next, from `first` on one after the other: the upper becomes
/// cosine·upper + sine·lower, the lower cosine·lower - sine·upper.
struct Sweep {
  std::size_t first = 0;
  std::vector<Rotation> rotations;
};

/// Rotates rows by all sweeps, in their order.
void RotateRows(std::span<const Sweep> sweeps, Matrix& rows, const Poll& poll);

/// Bytes that a thread takes for it, at most.
constexpr std::uint64_t RotatedBytes(std::uint64_t rows) {
  return BytesOfNumbers(rows * kRotatedColumns);
}

/// sum ← sum + Σ factors[i]·row i, in the order of the rows. REQUIRES: a factor for each row.
void AddRowsTo(std::span<const double> factors, ConstMatrixPart rows, std::span<double> sum,
               const Poll& poll);

}  // namespace weightsmith::internal
