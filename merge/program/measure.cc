#include "merge/program/measure.h"

#include <algorithm>
#include <array>

namespace weightsmith::internal {
namespace {

/// The part of a tile that a probe is for.
struct Part {
  std::size_t skip = 0;
  std::size_t count = 0;
};

Part PartOf(const Probe& probe, std::uint64_t first, std::size_t n) {
  if (probe.count == 0) return {0, n};
  const std::uint64_t from = std::max(first, probe.first);
  const std::uint64_t to = std::min(first + n, probe.first + probe.count);
  if (from >= to) return {};
  return {from - first, to - from};
}

/// Two tiles that kernels may load whole.
template <class Real>
struct alignas(64) Pair {
  std::array<Real, 2 * kTile> values;
};

template <class Real>
Effect Measure(const Probe& probe, std::span<const Real> registers, std::uint64_t first,
               std::size_t n) {
  const Part part = PartOf(probe, first, n);
  if (part.count == 0) return {};
  if (part.count == n) return MeasureTile(probe, registers, n);
  Pair<Real> pair;
  std::ranges::copy(registers.subspan(probe.before * kTile + part.skip, part.count),
                    pair.values.begin());
  std::ranges::copy(registers.subspan(probe.after * kTile + part.skip, part.count),
                    pair.values.begin() + kTile);
  return MeasureTile({.before = 0, .after = 1, .against_zero = probe.against_zero},
                     std::span<const Real>(pair.values), part.count);
}

}  // namespace

bool IsForAll(const Probe& probe, std::uint64_t first, std::size_t n) {
  return PartOf(probe, first, n).count == n;
}

Effect MeasureProbe(const Probe& probe, std::span<const float> registers, std::uint64_t first,
                    std::size_t n) {
  return Measure(probe, registers, first, n);
}

Effect MeasureProbe(const Probe& probe, std::span<const double> registers, std::uint64_t first,
                    std::size_t n) {
  return Measure(probe, registers, first, n);
}

std::uint64_t CountStored(const Probe& probe, std::uint64_t first, std::size_t size,
                          std::span<const std::byte> before, std::span<const std::byte> after) {
  const Part part = PartOf(probe, first, before.size() / size);
  return CountDifferent(before.subspan(part.skip * size, part.count * size),
                        after.subspan(part.skip * size, part.count * size), size);
}

}  // namespace weightsmith::internal
