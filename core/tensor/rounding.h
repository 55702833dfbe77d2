// How values are rounded to a dtype of fewer bits.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/tensor/dtype.h"

namespace weightsmith::internal {

struct Rounding {
  /// Up or down by chance, so that what is lost of many values is nothing on average; else to the
  /// nearest, ties to even.
  bool stochastic = false;
  std::uint64_t seed = 0;

  bool operator==(const Rounding&) const = default;
};

/// "nearest", "stochastic", "stochastic:7".
std::optional<Rounding> RoundingByWord(std::string_view word);
std::string ToString(const Rounding& rounding);

/// The key of a tensor's noise.
std::uint64_t NoiseKey(const Rounding& rounding, std::string_view tensor);

/// Rounds each value to one of the two values of the dtype that are next to it, to either with the
/// probability that makes the mean right; what the dtype has stays, and so does what is beyond its
/// range. The noise is that of the key and the element's index, `first` of the first one. Nothing
/// for dtypes of 32 bits and more.
void RoundStochastically(DType dtype, std::uint64_t key, std::uint64_t first,
                         std::span<float> values);

}  // namespace weightsmith::internal
