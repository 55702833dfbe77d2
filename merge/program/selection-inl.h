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

/// Elements whose places are bits of a word.
constexpr std::size_t kPlaces = 64;

using MagnitudeTag = hn::CappedTag<std::uint32_t, 16>;
using MagnitudeMask = hn::Mask<hn::RebindToSigned<MagnitudeTag>>;

HWY_INLINE std::uint64_t BitsOf(MagnitudeMask mask) {
  const hn::RebindToSigned<MagnitudeTag> d;
  std::uint8_t bytes[8];
  hn::StoreMaskBits(d, mask, bytes);
  std::uint64_t bits = bytes[0];
  if (hn::MaxLanes(d) > 8) bits |= std::uint64_t{bytes[1]} << 8;
  return bits;
}

/// The magnitudes at the places that are chosen go to `band`, with up to four behind them that
/// mean nothing: a branch for each would mostly be guessed wrong.
HWY_INLINE std::size_t TakeChosen(const std::uint32_t* bits, std::uint64_t chosen,
                                  std::uint32_t* band) {
  const auto count = static_cast<std::size_t>(std::popcount(chosen));
  do {
    for (int i = 0; i < 4; ++i) {
      const auto place = static_cast<std::size_t>(std::countr_zero(chosen)) % kPlaces;
      *band++ = bits[place] & 0x7fffffffu;
      chosen &= chosen - 1;
    }
  } while (chosen != 0);
  return count;
}

/// How many magnitudes are at least `high`; those from `low` up to it go to `band`, which has room
/// for n and four more. A NaN is above everything.
std::size_t SplitByMagnitude(const float* x, std::size_t n, std::uint32_t low, std::uint32_t high,
                             std::uint32_t* band, std::size_t* band_size) {
  const MagnitudeTag d;
  const hn::RebindToSigned<MagnitudeTag> di;
  const auto magnitude_bits = hn::Set(d, 0x7fffffffu);
  // Magnitudes are not negative as integers.
  const auto from = hn::Set(di, static_cast<std::int32_t>(low));
  const auto to = hn::Set(di, static_cast<std::int32_t>(high));
  std::size_t taken = 0;
  std::size_t i = 0;
  auto counts = hn::Zero(di);
  const auto* bits = reinterpret_cast<const std::uint32_t*>(x);
  for (; i + kPlaces <= n; i += kPlaces) {
    std::uint64_t chosen = 0;
    for (std::size_t v = 0; v < kPlaces; v += hn::MaxLanes(d)) {
      const auto value = hn::BitCast(di, hn::And(hn::LoadU(d, bits + i + v), magnitude_bits));
      const auto under = hn::Lt(value, to);
      counts = hn::Sub(counts, hn::VecFromMask(di, under));
      chosen |= BitsOf(hn::AndNot(hn::Lt(value, from), under)) << v;
    }
    taken += TakeChosen(bits + i, chosen, band + taken);
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
