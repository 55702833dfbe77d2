// The kernel of low_rank.h, once for every instruction set.

#if defined(WEIGHTSMITH_CORE_ADAPTERS_LOW_RANK_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef WEIGHTSMITH_CORE_ADAPTERS_LOW_RANK_INL_H_
#undef WEIGHTSMITH_CORE_ADAPTERS_LOW_RANK_INL_H_
#else
#define WEIGHTSMITH_CORE_ADAPTERS_LOW_RANK_INL_H_
#endif

#include <hwy/highway.h>

#include <cstddef>

#include "core/adapters/low_rank.h"

HWY_BEFORE_NAMESPACE();
namespace weightsmith {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t kPanel = LowRank::kPanel;
constexpr std::size_t kRows = LowRank::kRows;

using Lanes = hn::CappedTag<float, 16>;

/// kCount rows times kVectors vectors of columns, as many sums as registers hold: a value of
/// `panel` is loaded once for all rows, one of `up` once for all columns. `up` is [rank, kCount];
/// rows of `out` lie `stride` apart.
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
      const V u = hn::Set(d, up[k * kCount + r]);
      for (std::size_t v = 0; v < kVectors; ++v) {
        sums[r][v] = hn::Add(sums[r][v], hn::Mul(u, columns[v]));
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

/// The panel's columns of `count` rows, at most kRows; `up` is [rank, count].
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
}  // namespace weightsmith
HWY_AFTER_NAMESPACE();

#endif  // WEIGHTSMITH_CORE_ADAPTERS_LOW_RANK_INL_H_
