// Rotations from the skew matrices that OFT and BOFT learn.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "merge/adapters/delta_rows.h"

namespace weightsmith::internal {

/// (I + Q)(I - Q)^-1 of a skew matrix [size, size], row-major: Cayley's map to rotations. In f64,
/// the same bits on every CPU. `poll` is called between rows.
std::vector<double> Cayley(std::span<const double> skew, std::size_t size,
                           const std::function<void()>& poll);

/// The rotations of kohya's and LyCORIS' OFT and BOFT, blocks of [size, size] one after another,
/// less 1 on their diagonals: of B - Bᵀ, whose norm over all blocks alpha times the rows of the
/// weight limits; those of older files are stored as they are.
std::vector<float> StoredRotations(const AdapterValues& values, std::size_t size,
                                   std::uint64_t rows);

/// I + 2Q + 2Q² + … + Q^(terms-1), the last term once: PEFT's truncation of the same.
std::vector<double> CayleyNeumann(std::span<const double> skew, std::size_t size, int terms,
                                  const std::function<void()>& poll);

/// Bytes that StoredRotations holds for rotations of `elements` in all, its result included.
std::uint64_t RotationBytes(std::uint64_t elements, std::uint64_t size);

}  // namespace weightsmith::internal
