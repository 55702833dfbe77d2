// What a probe sees of a tile: of the elements that it is for, and, of an adapter's module, of what
// is left when the result is rounded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/dtype.h"
#include "merge/tape.h"

namespace weightsmith {

/// `registers` as RunTape has them, with n elements from `first` of the tensor; `stored` is the
/// dtype that it is rounded to.
Effect MeasureProbe(const Probe& probe, std::span<const float> registers, std::uint64_t first,
                    std::size_t n, DType stored);
Effect MeasureProbe(const Probe& probe, std::span<const double> registers, std::uint64_t first,
                    std::size_t n, DType stored);

}  // namespace weightsmith
