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

/// kCount rows of `up` times two vectors of columns: as many sums as registers hold, and each value
/// of `down` is loaded once for all rows. Rows of `out` lie `stride` apart.
template <std::size_t kCount>
HWY_INLINE void Rows(const float* HWY_RESTRICT up, const float* HWY_RESTRICT panel,
                     std::size_t rank, float* HWY_RESTRICT out, std::size_t stride) {
  const Lanes d;
  const std::size_t lanes = hn::Lanes(d);
  for (std::size_t c = 0; c < kPanel; c += 2 * lanes) {
    auto low0 = hn::Zero(d), low1 = low0, low2 = low0, low3 = low0;
    auto high0 = low0, high1 = low0, high2 = low0, high3 = low0;
    for (std::size_t k = 0; k < rank; ++k) {
      const auto low = hn::LoadU(d, panel + k * kPanel + c);
      const auto high = hn::LoadU(d, panel + k * kPanel + c + lanes);
      const auto u0 = hn::Set(d, up[k]);
      low0 = hn::Add(low0, hn::Mul(u0, low));
      high0 = hn::Add(high0, hn::Mul(u0, high));
      if constexpr (kCount > 1) {
        const auto u1 = hn::Set(d, up[rank + k]);
        low1 = hn::Add(low1, hn::Mul(u1, low));
        high1 = hn::Add(high1, hn::Mul(u1, high));
      }
      if constexpr (kCount > 2) {
        const auto u2 = hn::Set(d, up[2 * rank + k]);
        low2 = hn::Add(low2, hn::Mul(u2, low));
        high2 = hn::Add(high2, hn::Mul(u2, high));
      }
      if constexpr (kCount > 3) {
        const auto u3 = hn::Set(d, up[3 * rank + k]);
        low3 = hn::Add(low3, hn::Mul(u3, low));
        high3 = hn::Add(high3, hn::Mul(u3, high));
      }
    }
    hn::StoreU(low0, d, out + c);
    hn::StoreU(high0, d, out + c + lanes);
    if constexpr (kCount > 1) {
      hn::StoreU(low1, d, out + stride + c);
      hn::StoreU(high1, d, out + stride + c + lanes);
    }
    if constexpr (kCount > 2) {
      hn::StoreU(low2, d, out + 2 * stride + c);
      hn::StoreU(high2, d, out + 2 * stride + c + lanes);
    }
    if constexpr (kCount > 3) {
      hn::StoreU(low3, d, out + 3 * stride + c);
      hn::StoreU(high3, d, out + 3 * stride + c + lanes);
    }
  }
}

/// One row, of four vectors of columns at a time: its sums wait for each other else.
HWY_INLINE void OneRow(const float* HWY_RESTRICT up, const float* HWY_RESTRICT panel,
                       std::size_t rank, float* HWY_RESTRICT out) {
  const Lanes d;
  const std::size_t lanes = hn::Lanes(d);
  for (std::size_t c = 0; c < kPanel; c += 4 * lanes) {
    auto sum0 = hn::Zero(d), sum1 = sum0, sum2 = sum0, sum3 = sum0;
    for (std::size_t k = 0; k < rank; ++k) {
      const float* const row = panel + k * kPanel + c;
      const auto u = hn::Set(d, up[k]);
      sum0 = hn::Add(sum0, hn::Mul(u, hn::LoadU(d, row)));
      sum1 = hn::Add(sum1, hn::Mul(u, hn::LoadU(d, row + lanes)));
      sum2 = hn::Add(sum2, hn::Mul(u, hn::LoadU(d, row + 2 * lanes)));
      sum3 = hn::Add(sum3, hn::Mul(u, hn::LoadU(d, row + 3 * lanes)));
    }
    hn::StoreU(sum0, d, out + c);
    hn::StoreU(sum1, d, out + c + lanes);
    hn::StoreU(sum2, d, out + c + 2 * lanes);
    hn::StoreU(sum3, d, out + c + 3 * lanes);
  }
}

/// The panel's columns of `count` rows, at most kRows.
void PanelRows(const float* up, const float* panel, std::size_t rank, float* out,
               std::size_t stride, std::size_t count) {
  switch (count) {
    case 1:
      return OneRow(up, panel, rank, out);
    case 2:
      return Rows<2>(up, panel, rank, out, stride);
    case 3:
      return Rows<3>(up, panel, rank, out, stride);
    default:
      return Rows<kRows>(up, panel, rank, out, stride);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace weightsmith
HWY_AFTER_NAMESPACE();

#endif  // WEIGHTSMITH_CORE_ADAPTERS_LOW_RANK_INL_H_
