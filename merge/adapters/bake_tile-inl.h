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

#include "core/tensor/codec-inl.h"
#include "merge/adapters/bake_tile.h"
#include "merge/program/sums-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weightsmith::internal {
namespace HWY_NAMESPACE {
namespace {

/// How values are stored. F is a format of codec-inl.h, or float. That a NaN is stored as it should
/// be does not matter: a tile with one is void.
template <class F>
struct Stored {
  using Lanes = Codes<F, Tag<float>>;
  static HWY_INLINE Vector<float> Decode(const std::byte* in) {
    return DecodeNarrow<F>(Tag<float>(), in);
  }
  static HWY_INLINE hn::Vec<Lanes> Encode(Vector<float> value) {
    return ToCodes<F, true>(Tag<float>(), value);
  }
};

template <>
struct Stored<float> {
  using Lanes = hn::RebindToUnsigned<Tag<float>>;
  static HWY_INLINE Vector<float> Decode(const std::byte* in) {
    return LoadBytes(Tag<float>(), in);
  }
  static HWY_INLINE hn::Vec<Lanes> Encode(Vector<float> value) {
    return hn::BitCast(Lanes(), value);
  }
};

template <class F>
std::optional<Effect> BakeAs(const BakeTile& tile) {
  const Tag<float> d;
  const hn::RebindToSigned<decltype(d)> di;
  const typename Stored<F>::Lanes codes;
  const hn::RebindToSigned<decltype(codes)> counts;
  constexpr std::size_t kStep = hn::MaxLanes(Tag<float>());
  constexpr std::size_t kBytes = sizeof(hn::TFromD<decltype(codes)>);
  const auto strength = hn::Set(d, tile.strength);
  // As integers, magnitudes are in the order of their values, and a NaN is above all of them.
  auto largest = hn::Zero(di);
  Sums<float> sums = NoSums<float>();
  hn::Vec<decltype(counts)> rounded[1] = {hn::Zero(counts)};
  for (std::size_t i = 0; i < tile.delta.size(); i += kLanes) {
    for (std::size_t v = 0; v < kVectors<float>; ++v) {
      const std::size_t at = i + v * kStep;
      const std::byte* const base = tile.base.data() + at * kBytes;
      const auto before = Stored<F>::Decode(base);
      const auto after = hn::Add(before, hn::Mul(strength, hn::Load(d, tile.delta.data() + at)));
      const auto stored = Stored<F>::Encode(after);
      StoreBytes(stored, codes, tile.out.data() + at * kBytes);
      largest = hn::Max(largest, hn::BitCast(di, hn::Abs(after)));
      AddVector(v, before, hn::Sub(after, before), hn::Ne(before, after), sums);
      CountLanes(counts, hn::Ne(stored, LoadBytes(codes, base)), rounded[0]);
    }
  }
  const auto limit = hn::Set(di, std::bit_cast<std::int32_t>(tile.limit));
  if (!hn::AllTrue(di, hn::Lt(largest, limit))) return std::nullopt;
  Effect effect = ToEffect(sums, tile.delta.size());
  effect.rounded = Fold<std::uint64_t>(counts, rounded);
  return effect;
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
}  // namespace weightsmith::internal
HWY_AFTER_NAMESPACE();

#endif
