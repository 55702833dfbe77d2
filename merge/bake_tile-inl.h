// The kernel of bake_tile.h, once for every instruction set.

#if defined(WEIGHTSMITH_MERGE_BAKE_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef WEIGHTSMITH_MERGE_BAKE_TILE_INL_H_
#undef WEIGHTSMITH_MERGE_BAKE_TILE_INL_H_
#else
#define WEIGHTSMITH_MERGE_BAKE_TILE_INL_H_
#endif

#include <hwy/highway.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>

#include "core/codec-inl.h"
#include "merge/bake_tile.h"
#include "merge/sums-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weightsmith {
namespace HWY_NAMESPACE {
namespace {

/// F is a format of codec-inl.h, or float.
template <class F>
std::optional<Effect> BakeAs(const BakeTile& tile) {
  const Tag<float> d;
  const hn::RebindToSigned<decltype(d)> di;
  constexpr std::size_t kStep = hn::MaxLanes(Tag<float>());
  const auto strength = hn::Set(d, tile.strength);
  // As integers, magnitudes are in the order of their values, and a NaN is above all of them.
  auto largest = hn::Zero(di);
  Sums<float> sums = NoSums<float>();
  for (std::size_t i = 0; i < tile.delta.size(); i += kLanes) {
    for (std::size_t v = 0; v < kVectors<float>; ++v) {
      const std::size_t at = i + v * kStep;
      const auto added = hn::Mul(strength, hn::Load(d, tile.delta.data() + at));
      Vector<float> before;
      Vector<float> after;
      if constexpr (std::is_same_v<F, float>) {
        before = LoadBytes(d, tile.base.data() + at * sizeof(float));
        after = hn::Add(before, added);
        StoreBytes(after, d, tile.out.data() + at * sizeof(float));
      } else {
        before = DecodeNarrow<F>(d, tile.base.data() + at * sizeof(typename F::Code));
        after = hn::Add(before, added);
        EncodeNarrow<F>(d, after, tile.out.data() + at * sizeof(typename F::Code));
      }
      largest = hn::Max(largest, hn::BitCast(di, hn::Abs(after)));
      AddVector(v, before, hn::Sub(after, before), hn::Ne(before, after), sums);
    }
  }
  const auto limit = hn::Set(di, std::bit_cast<std::int32_t>(tile.limit));
  if (!hn::AllTrue(di, hn::Lt(largest, limit))) return std::nullopt;
  return ToEffect(sums, tile.delta.size());
}

std::optional<Effect> BakeAny(const BakeTile& tile) {
  if (tile.delta.size() % kLanes != 0) return std::nullopt;
  switch (tile.dtype) {
    case DType::kF16:
      return BakeAs<F16>(tile);
    case DType::kBF16:
      return BakeAs<BF16>(tile);
    case DType::kF32:
      return BakeAs<float>(tile);
    default:
      return std::nullopt;
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace weightsmith
HWY_AFTER_NAMESPACE();

#endif
