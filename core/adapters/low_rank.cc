#include "core/adapters/low_rank.h"

#include <algorithm>
#include <array>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/adapters/low_rank.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "core/adapters/low_rank-inl.h"

#if HWY_ONCE
namespace weightsmith {
namespace {

HWY_EXPORT(PanelRows);

}  // namespace

LowRank::LowRank(std::span<const float> up, std::span<const float> down, std::uint64_t rank,
                 float scale)
    : rows_(rank == 0 ? 0 : up.size() / rank),
      rank_(rank),
      columns_(rank == 0 ? 0 : down.size() / rank),
      up_(up.begin(), up.end()) {
  for (float& value : up_) value *= scale;
  const std::uint64_t panels = (columns_ + kPanel - 1) / kPanel;
  down_.resize(panels * rank * kPanel);
  // Rows of `down` are powers of two apart as often as not: read as they are, all of a panel would
  // share a few lines of the cache.
  for (std::uint64_t p = 0; p < panels; ++p) {
    const std::uint64_t first = p * kPanel;
    const std::uint64_t width = std::min<std::uint64_t>(kPanel, columns_ - first);
    for (std::uint64_t k = 0; k < rank; ++k) {
      std::copy_n(down.begin() + static_cast<std::ptrdiff_t>(k * columns_ + first), width,
                  down_.begin() + static_cast<std::ptrdiff_t>((p * rank + k) * kPanel));
    }
  }
}

void LowRank::Fill(std::uint64_t first, std::span<float> out) const {
  if (out.empty()) return;
  const std::uint64_t end = first + out.size();
  const std::uint64_t first_row = first / columns_;
  const std::uint64_t end_row = (end + columns_ - 1) / columns_;
  std::array<float, kPanel> scratch;
  for (std::uint64_t column = 0; column < columns_; column += kPanel) {
    const std::uint64_t width = std::min<std::uint64_t>(kPanel, columns_ - column);
    const float* const panel = down_.data() + column * rank_;
    const auto inside = [&](std::uint64_t row) {
      const std::uint64_t at = row * columns_ + column;
      return width == kPanel && at >= first && at + kPanel <= end;
    };
    for (std::uint64_t row = first_row; row < end_row;) {
      const std::uint64_t at = row * columns_ + column;
      const float* const up = up_.data() + row * rank_;
      std::uint64_t count = 0;
      while (count < kRows && row + count < end_row && inside(row + count)) ++count;
      if (count > 0) {
        HWY_DYNAMIC_DISPATCH(PanelRows)
        (up, panel, rank_, out.data() + (at - first), columns_, count);
        row += count;
        continue;
      }
      const std::uint64_t from = std::max(at, first);
      const std::uint64_t to = std::min(at + width, end);
      if (from < to) {
        HWY_DYNAMIC_DISPATCH(PanelRows)(up, panel, rank_, scratch.data(), 0, 1);
        std::copy_n(scratch.data() + (from - at), to - from, out.data() + (from - first));
      }
      ++row;
    }
  }
}

}  // namespace weightsmith
#endif  // HWY_ONCE
