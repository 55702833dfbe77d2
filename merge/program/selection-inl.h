// The kernel of merge/program/selection.h, once for every instruction set.

#if defined(WEIGHTSMITH_MERGE_SELECTION_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef WEIGHTSMITH_MERGE_SELECTION_INL_H_
#undef WEIGHTSMITH_MERGE_SELECTION_INL_H_
#else
#define WEIGHTSMITH_MERGE_SELECTION_INL_H_
#endif

#include <hwy/highway.h>

#include <bit>
#include <cstddef>
#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace weightsmith::internal {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

/// How many magnitudes are at least `high`; those from `low` up to it go to `band`, which has room
/// for n and a vector more. A NaN is above everything.
std::size_t SplitByMagnitude(const float* x, std::size_t n, std::uint32_t low, std::uint32_t high,
                             std::uint32_t* band, std::size_t* band_size) {
  const hn::ScalableTag<std::uint32_t> d;
  const hn::RebindToSigned<decltype(d)> di;
  const auto magnitude_bits = hn::Set(d, 0x7fffffffu);
  // Magnitudes are not negative as integers.
  const auto from = hn::Set(di, static_cast<std::int32_t>(low));
  const auto to = hn::Set(di, static_cast<std::int32_t>(high));
  std::size_t taken = 0;
  std::size_t i = 0;
  auto counts = hn::Zero(di);
  HWY_ALIGN std::int32_t values[hn::MaxLanes(di)];
  std::uint8_t chosen[8 + hn::MaxLanes(di) / 8];
  const auto* bits = reinterpret_cast<const std::uint32_t*>(x);
  for (; i + hn::Lanes(d) <= n; i += hn::Lanes(d)) {
    const auto magnitude = hn::And(hn::LoadU(d, bits + i), magnitude_bits);
    const auto value = hn::BitCast(di, magnitude);
    const auto under = hn::Lt(value, to);
    counts = hn::Sub(counts, hn::VecFromMask(di, under));
    const auto inside = hn::AndNot(hn::Lt(value, from), under);
    if (hn::AllFalse(di, inside)) continue;
    // Mostly one: Highway's compressing store copies its table to the stack every time, as GCC
    // compiles it.
    hn::Store(value, di, values);
    const std::size_t bytes = hn::StoreMaskBits(di, inside, chosen);
    for (std::size_t byte = 0; byte < bytes; ++byte) {
      for (unsigned lanes = chosen[byte]; lanes != 0; lanes &= lanes - 1) {
        const auto lane = 8 * byte + static_cast<std::size_t>(std::countr_zero(lanes));
        band[taken++] = static_cast<std::uint32_t>(values[lane]);
      }
    }
  }
  auto below = static_cast<std::size_t>(hn::GetLane(hn::SumOfLanes(di, counts)));
  for (; i < n; ++i) {
    const std::uint32_t magnitude = bits[i] & 0x7fffffffu;
    if (magnitude >= high) continue;
    ++below;
    if (magnitude >= low) band[taken++] = magnitude;
  }
  *band_size = taken;
  return n - below;
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace weightsmith::internal
HWY_AFTER_NAMESPACE();

#endif
