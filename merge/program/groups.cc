#include "merge/program/groups.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <type_traits>

#include "merge/program/tape.h"

namespace weightsmith::internal {
namespace {

/// Magnitudes in the order of their bits, in which a NaN is above infinity.
template <class Real>
auto MagnitudeBits(Real value) {
  using Bits = std::conditional_t<sizeof(Real) == 4, std::uint32_t, std::uint64_t>;
  return std::bit_cast<Bits>(value) & (~Bits{0} >> 1);
}

template <class Real>
void KeepLargest(std::span<const Real> x, std::size_t keep, std::size_t group,
                 std::span<Real> out) {
  std::array<std::uint16_t, kTile> order;
  for (std::size_t begin = 0; begin < x.size(); begin += group) {
    const std::size_t n = std::min(group, x.size() - begin);
    const std::size_t kept = (keep * n + group - 1) / group;
    const std::span<const Real> in = x.subspan(begin, n);
    const std::span<std::uint16_t> indices = std::span(order).first(n);
    for (std::size_t i = 0; i < n; ++i) indices[i] = static_cast<std::uint16_t>(i);
    if (kept < n) {
      std::ranges::nth_element(indices, indices.begin() + static_cast<std::ptrdiff_t>(kept),
                               [&](std::uint16_t a, std::uint16_t b) {
                                 const auto of_a = MagnitudeBits(in[a]);
                                 const auto of_b = MagnitudeBits(in[b]);
                                 return of_a != of_b ? of_a > of_b : a < b;
                               });
    }
    const std::span<Real> result = out.subspan(begin, n);
    if (result.data() != in.data()) std::ranges::copy(in, result.begin());
    for (const std::uint16_t i : indices.subspan(kept)) result[i] = 0;
  }
}

}  // namespace

void KeepLargestOfGroups(std::span<const float> x, std::size_t keep, std::size_t group,
                         std::span<float> out) {
  KeepLargest(x, keep, group, out);
}

void KeepLargestOfGroups(std::span<const double> x, std::size_t keep, std::size_t group,
                         std::span<double> out) {
  KeepLargest(x, keep, group, out);
}

}  // namespace weightsmith::internal
