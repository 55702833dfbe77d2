// Numbers at places of an order, found by counting.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace weightsmith::internal {

/// found[i] is the value that would be at places[i] if values were sorted, the largest first.
/// REQUIRES: places are less than the number of values; all values are below 2^31.
void NthLargest(std::span<const std::uint32_t> values, std::span<const std::size_t> places,
                std::span<std::uint32_t> found);

}  // namespace weightsmith::internal
