#include "core/tensor/rounding.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>

#include "core/io/hash.h"
#include "core/tensor/codec.h"

namespace weightsmith::internal {
namespace {

constexpr std::string_view kNearest = "nearest";
constexpr std::string_view kStochastic = "stochastic";

/// Of a dtype of 16 or 8 bits.
struct Form {
  int mantissa = 0;         ///< bits that are stored
  int smallest_normal = 0;  ///< its exponent
};

std::optional<Form> FormOf(DType dtype) {
  switch (dtype) {
    case DType::kF16:
      return Form{10, -14};
    case DType::kBF16:
      return Form{7, -126};
    case DType::kF8E4M3:
      return Form{3, -6};
    case DType::kF8E5M2:
      return Form{2, -14};
    default:
      return std::nullopt;
  }
}

/// SplitMix64 of a counter.
std::uint64_t Noise(std::uint64_t key, std::uint64_t index) {
  std::uint64_t x = key + (index + 1) * 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

float RoundOne(float value, const Form& form, float largest, std::uint64_t noise) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const float magnitude = std::abs(value);
  if (!(magnitude <= largest)) return value;
  const int exponent = static_cast<int>(bits >> 23 & 0xFF) - 127;
  if (exponent >= form.smallest_normal) {
    const std::uint32_t mask = (1u << (23 - form.mantissa)) - 1;
    const auto extra = static_cast<std::uint32_t>(noise) & mask;
    const auto rounded = std::bit_cast<float>((bits + extra) & ~mask);
    return std::copysign(std::min(std::abs(rounded), largest), value);
  }
  // Below, the values are multiples of one step.
  const double step = std::ldexp(1.0, form.smallest_normal - form.mantissa);
  const double chance = static_cast<double>(noise >> 11) * 0x1p-53;
  const double rounded = std::floor(static_cast<double>(magnitude) / step + chance) * step;
  return std::copysign(static_cast<float>(rounded), value);
}

}  // namespace

std::optional<Rounding> RoundingByWord(std::string_view word) {
  if (word == kNearest) return Rounding{};
  if (!word.starts_with(kStochastic)) return std::nullopt;
  Rounding rounding{true, 0};
  word.remove_prefix(kStochastic.size());
  if (word.empty()) return rounding;
  word.remove_prefix(1);
  const char* const end = word.data() + word.size();
  const auto [at, error] = std::from_chars(word.data(), end, rounding.seed);
  if (word.data()[-1] != ':' || error != std::errc() || at != end) return std::nullopt;
  return rounding;
}

std::string ToString(const Rounding& rounding) {
  if (!rounding.stochastic) return std::string(kNearest);
  return rounding.seed == 0 ? std::string(kStochastic)
                            : fmt::format("{}:{}", kStochastic, rounding.seed);
}

std::uint64_t NoiseKey(const Rounding& rounding, std::string_view tensor) {
  const Digest digest = Xxh3(std::as_bytes(std::span(tensor)));
  std::uint64_t key = 0;
  for (std::size_t i = 0; i < 8; ++i) key = key << 8 | digest.bytes[i];
  return Noise(key, rounding.seed);
}

void RoundStochastically(DType dtype, std::uint64_t key, std::uint64_t first,
                         std::span<float> values) {
  const std::optional<Form> form = FormOf(dtype);
  if (!form) return;
  const auto largest = static_cast<float>(LargestFinite(dtype));
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = RoundOne(values[i], *form, largest, Noise(key, first + i));
  }
}

}  // namespace weightsmith::internal
