// One adapter added to one weight, the commonest of all tapes, in one pass over a tile: the bits
// are those of decoding it, running the tape, measuring and encoding.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "core/tensor/dtype.h"
#include "merge/program/tape.h"

namespace weightsmith::internal {

/// At most kTile elements: they are counted in lanes of 16 bits.
struct BakeTile {
  DType dtype = DType::kF16;  ///< of `base` and `out`: F16, BF16 or F32
  std::span<const std::byte> base;
  std::span<const float> delta;  ///< 64-byte aligned
  float strength = 1;
  float limit = 0;  ///< the least magnitude that does not fit the dtype
  std::span<std::byte> out;
};

/// Fills `out` with base + strength·delta and measures how that differs from `base`: before it is
/// rounded, as MeasureTile does, and as it is stored. Nothing is measured, and what `out` holds is
/// void, where a value does not fit, and for dtypes and lengths (no multiple of 16) that this is
/// not made for.
std::optional<Effect> Bake(const BakeTile& tile);

}  // namespace weightsmith::internal
