// What a probe sees of a tile: of the elements that it is for, and, of an adapter's module, of what
// is left when the result is rounded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "merge/program/tape.h"

namespace weightsmith::internal {

/// Whether all of n elements from `first` are the probe's.
bool IsForAll(const Probe& probe, std::uint64_t first, std::size_t n);

/// `registers` as RunTape has them, with n elements from `first` of the tensor.
Effect MeasureProbe(const Probe& probe, std::span<const float> registers, std::uint64_t first,
                    std::size_t n);
Effect MeasureProbe(const Probe& probe, std::span<const double> registers, std::uint64_t first,
                    std::size_t n);

/// Elements of the probe's among those from `first` that differ as they are stored: `before` and
/// `after` are a tile as bytes, `size` an element.
std::uint64_t CountStored(const Probe& probe, std::uint64_t first, std::size_t size,
                          std::span<const std::byte> before, std::span<const std::byte> after);

}  // namespace weightsmith::internal
