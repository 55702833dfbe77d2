#include "merge/measure.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "core/codec.h"

namespace weightsmith {
namespace {

template <class Word>
std::uint64_t CountDifferent(std::span<const std::byte> a, std::span<const std::byte> b) {
  std::uint64_t count = 0;
  for (std::size_t at = 0; at < a.size(); at += sizeof(Word)) {
    Word x;
    Word y;
    std::memcpy(&x, a.data() + at, sizeof x);
    std::memcpy(&y, b.data() + at, sizeof y);
    count += x != y ? 1 : 0;
  }
  return count;
}

template <class Real>
std::uint64_t CountRounded(std::span<const Real> before, std::span<const Real> after,
                           DType stored) {
  std::array<std::byte, kTile * sizeof(double)> x;
  std::array<std::byte, kTile * sizeof(double)> y;
  const std::size_t size = Info(stored).bits / 8;
  const std::span<std::byte> a = std::span(x).first(before.size() * size);
  const std::span<std::byte> b = std::span(y).first(after.size() * size);
  Encode(stored, before, a);
  Encode(stored, after, b);
  switch (size) {
    case 1:
      return CountDifferent<std::uint8_t>(a, b);
    case 2:
      return CountDifferent<std::uint16_t>(a, b);
    case 4:
      return CountDifferent<std::uint32_t>(a, b);
    default:
      return CountDifferent<std::uint64_t>(a, b);
  }
}

/// Two tiles that kernels may load whole.
template <class Real>
struct alignas(64) Pair {
  std::array<Real, 2 * kTile> values;
};

template <class Real>
Effect Measure(const Probe& probe, std::span<const Real> registers, std::uint64_t first,
               std::size_t n, DType stored) {
  const std::uint64_t from = std::max(first, probe.first);
  const std::uint64_t to =
      probe.count == 0 ? first + n : std::min(first + n, probe.first + probe.count);
  if (from >= to) return {};
  const std::size_t count = to - from;
  const auto before = registers.subspan(probe.before * kTile + (from - first), count);
  const auto after = registers.subspan(probe.after * kTile + (from - first), count);
  Effect effect;
  if (count == n) {
    effect = MeasureTile(probe, registers, n);
  } else {
    Pair<Real> pair;
    std::ranges::copy(before, pair.values.begin());
    std::ranges::copy(after, pair.values.begin() + kTile);
    effect = MeasureTile({.before = 0, .after = 1, .against_zero = probe.against_zero},
                         std::span<const Real>(pair.values), count);
  }
  if (probe.applied) effect.rounded = CountRounded<Real>(before, after, stored);
  return effect;
}

}  // namespace

Effect MeasureProbe(const Probe& probe, std::span<const float> registers, std::uint64_t first,
                    std::size_t n, DType stored) {
  return Measure(probe, registers, first, n, stored);
}

Effect MeasureProbe(const Probe& probe, std::span<const double> registers, std::uint64_t first,
                    std::size_t n, DType stored) {
  return Measure(probe, registers, first, n, stored);
}

}  // namespace weightsmith
