// The kernel of low_rank.h, once for every instruction set.

#if defined(WEIGHTSMITH_CORE_ADAPTERS_LOW_RANK_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef WEIGHTSMITH_CORE_ADAPTERS_LOW_RANK_INL_H_
#undef WEIGHTSMITH_CORE_ADAPTERS_LOW_RANK_INL_H_
#else
#define WEIGHTSMITH_CORE_ADAPTERS_LOW_RANK_INL_H_
#endif

#include <hwy/highway.h>

#include <cmath>
#include <cstddef>

#include "merge/adapters/low_rank.h"

HWY_BEFORE_NAMESPACE();
namespace weightsmith::internal {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t kPanel = LowRank::kPanel;
constexpr std::size_t kRows = LowRank::kRows;

using Lanes = hn::CappedTag<float, 16>;

/// sum + a·b, rounded once: the same bits where it is not one instruction.
#if HWY_NATIVE_FMA
template <class V>
HWY_INLINE V AddProduct(V sum, V a, V b) {
  return hn::MulAdd(a, b, sum);
}
#elif HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128
template <class V>
HWY_INLINE V AddProduct(V sum, V a, V b) {
  const Lanes d;
  HWY_ALIGN float sums[hn::MaxLanes(Lanes())];
  HWY_ALIGN float left[hn::MaxLanes(Lanes())];
  HWY_ALIGN float right[hn::MaxLanes(Lanes())];
  hn::Store(sum, d, sums);
  hn::Store(a, d, left);
  hn::Store(b, d, right);
  for (std::size_t i = 0; i < hn::Lanes(d); ++i) sums[i] = std::fma(left[i], right[i], sums[i]);
  return hn::Load(d, sums);
}
#else
/// In f64 the product is exact and the sum is not: what it loses is kept as an odd last bit, which
/// rounding to f32 cannot take for a tie.
template <class V>
HWY_INLINE V AddProductOfDoubles(V sum, V product) {
  const hn::DFromV<V> d;
  const hn::RebindToSigned<decltype(d)> di;
  const V rounded = hn::Add(sum, product);
  const V taken = hn::Sub(rounded, sum);
  const V lost = hn::Add(hn::Sub(sum, hn::Sub(rounded, taken)), hn::Sub(product, taken));
  const auto bits = hn::BitCast(di, rounded);
  const auto even = hn::Eq(hn::And(bits, hn::Set(di, 1)), hn::Zero(di));
  const auto inexact = hn::RebindMask(di, hn::Gt(hn::Abs(lost), hn::Zero(d)));
  // Magnitudes are in the order of their bits: what was lost leads away from zero or towards it.
  const auto towards =
      hn::Or(hn::ShiftRight<63>(hn::Xor(bits, hn::BitCast(di, lost))), hn::Set(di, 1));
  return hn::BitCast(d, hn::Add(bits, hn::IfThenElseZero(hn::And(even, inexact), towards)));
}

template <class V>
HWY_INLINE V AddProduct(V sum, V a, V b) {
  const Lanes d;
  const hn::Half<Lanes> half;
  const hn::Repartition<double, Lanes> wide;
  const auto product = [&](auto part) {
    const auto x = hn::PromoteTo(wide, part(a));
    const auto y = hn::PromoteTo(wide, part(b));
    return hn::DemoteTo(half, AddProductOfDoubles(hn::PromoteTo(wide, part(sum)), hn::Mul(x, y)));
  };
  const auto low = product([&](V all) { return hn::LowerHalf(half, all); });
  const auto high = product([&](V all) { return hn::UpperHalf(half, all); });
  return hn::Combine(d, high, low);
}
#endif

/// kCount rows times kVectors vectors of columns, as many sums as registers hold: a value of
/// `panel` is loaded once for all rows, one of `up` once for all columns. `up` is [rank, kRows], of
/// which the first kCount are used; rows of `out` lie `stride` apart.
template <std::size_t kCount, std::size_t kVectors>
HWY_INLINE void Block(const float* HWY_RESTRICT up, const float* HWY_RESTRICT panel,
                      std::size_t rank, float* HWY_RESTRICT out, std::size_t stride) {
  const Lanes d;
  using V = hn::Vec<Lanes>;
  constexpr std::size_t kLanes = hn::MaxLanes(Lanes());
  V sums[kCount][kVectors];
  for (auto& row : sums) {
    for (V& sum : row) sum = hn::Zero(d);
  }
  for (std::size_t k = 0; k < rank; ++k) {
    V columns[kVectors];
    for (std::size_t v = 0; v < kVectors; ++v) {
      columns[v] = hn::Load(d, panel + k * kPanel + v * kLanes);
    }
    for (std::size_t r = 0; r < kCount; ++r) {
      const V u = hn::Set(d, up[k * kRows + r]);
      for (std::size_t v = 0; v < kVectors; ++v) {
        sums[r][v] = AddProduct(sums[r][v], u, columns[v]);
      }
    }
  }
  for (std::size_t r = 0; r < kCount; ++r) {
    for (std::size_t v = 0; v < kVectors; ++v) {
      hn::StoreU(sums[r][v], d, out + r * stride + v * kLanes);
    }
  }
}

/// One row wants more columns: a sum waits for the one before it.
template <std::size_t kCount>
HWY_INLINE void Rows(const float* up, const float* panel, std::size_t rank, float* out,
                     std::size_t stride) {
  constexpr std::size_t kLanes = hn::MaxLanes(Lanes());
  constexpr std::size_t kVectors = kCount == 1 ? 4 : 2;
  for (std::size_t c = 0; c < kPanel; c += kVectors * kLanes) {
    Block<kCount, kVectors>(up, panel + c, rank, out + c, stride);
  }
}

/// The panel's columns of `count` rows, at most kRows; `up` is [rank, kRows].
void PanelRows(const float* up, const float* panel, std::size_t rank, float* out,
               std::size_t stride, std::size_t count) {
  static_assert(kRows == 6);
  switch (count) {
    case 1:
      return Rows<1>(up, panel, rank, out, stride);
    case 2:
      return Rows<2>(up, panel, rank, out, stride);
    case 3:
      return Rows<3>(up, panel, rank, out, stride);
    case 4:
      return Rows<4>(up, panel, rank, out, stride);
    case 5:
      return Rows<5>(up, panel, rank, out, stride);
    default:
      return Rows<kRows>(up, panel, rank, out, stride);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace weightsmith::internal
HWY_AFTER_NAMESPACE();

#endif  // WEIGHTSMITH_CORE_ADAPTERS_LOW_RANK_INL_H_
