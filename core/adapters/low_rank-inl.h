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
/// of `down` is loaded once for all rows.
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
      if constexpr (kCount == kRows) {
        const auto u1 = hn::Set(d, up[rank + k]);
        const auto u2 = hn::Set(d, up[2 * rank + k]);
        const auto u3 = hn::Set(d, up[3 * rank + k]);
        low1 = hn::Add(low1, hn::Mul(u1, low));
        high1 = hn::Add(high1, hn::Mul(u1, high));
        low2 = hn::Add(low2, hn::Mul(u2, low));
        high2 = hn::Add(high2, hn::Mul(u2, high));
        low3 = hn::Add(low3, hn::Mul(u3, low));
        high3 = hn::Add(high3, hn::Mul(u3, high));
      }
    }
    hn::StoreU(low0, d, out + c);
    hn::StoreU(high0, d, out + c + lanes);
    if constexpr (kCount == kRows) {
      hn::StoreU(low1, d, out + stride + c);
      hn::StoreU(high1, d, out + stride + c + lanes);
      hn::StoreU(low2, d, out + 2 * stride + c);
      hn::StoreU(high2, d, out + 2 * stride + c + lanes);
      hn::StoreU(low3, d, out + 3 * stride + c);
      hn::StoreU(high3, d, out + 3 * stride + c + lanes);
    }
  }
}

/// One row, or kRows of them, of the panel's columns; rows of `out` lie `stride` apart.
void OneRow(const float* up, const float* panel, std::size_t rank, float* out) {
  Rows<1>(up, panel, rank, out, 0);
}

void FourRows(const float* up, const float* panel, std::size_t rank, float* out,
              std::size_t stride) {
  Rows<kRows>(up, panel, rank, out, stride);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace weightsmith
HWY_AFTER_NAMESPACE();

#endif  // WEIGHTSMITH_CORE_ADAPTERS_LOW_RANK_INL_H_
