#include "merge/adapters/low_rank.h"

#include <algorithm>
#include <array>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "merge/adapters/low_rank.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "merge/adapters/low_rank-inl.h"

#if HWY_ONCE
namespace weightsmith::internal {
namespace {

HWY_EXPORT(PanelRows);

}  // namespace

LowRank::LowRank(std::span<const float> up, std::span<const float> down, std::uint64_t rank,
                 float scale)
    : rows_(rank == 0 ? 0 : up.size() / rank),
      rank_(rank),
      columns_(rank == 0 ? 0 : down.size() / rank) {
  // What is multiplied together lies together. Rows of `down` are powers of two apart as often as
  // not: read as they are, all of a panel would share a few lines of the cache.
  up_.resize((rows_ + kRows - 1) / kRows * kRows * rank);
  for (std::uint64_t row = 0; row < rows_; ++row) {
    float* const group = up_.data() + row / kRows * kRows * rank + row % kRows;
    for (std::uint64_t k = 0; k < rank; ++k) group[k * kRows] = up[row * rank + k] * scale;
  }
  const std::uint64_t panels = (columns_ + kPanel - 1) / kPanel;
  down_.resize(panels * rank * kPanel);
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
  const std::uint64_t row = (first + columns_ - 1) / columns_;
  const std::uint64_t end_row = end / columns_;
  if (row > end_row) return FillPartOfRow(first, out);
  const std::uint64_t before = row * columns_ - first;
  const std::uint64_t whole = (end_row - row) * columns_;
  FillPartOfRow(first, out.first(before));
  FillRows(row, end_row, out.subspan(before, whole));
  FillPartOfRow(end_row * columns_, out.subspan(before + whole));
}

const float* LowRank::UpOf(std::uint64_t row) const {
  return up_.data() + row / kRows * kRows * rank_ + row % kRows;
}

void LowRank::FillRows(std::uint64_t first_row, std::uint64_t end_row, std::span<float> out) const {
  alignas(64) std::array<float, kRows * kPanel> narrow;
  for (std::uint64_t column = 0; column < columns_; column += kPanel) {
    const std::uint64_t width = std::min<std::uint64_t>(kPanel, columns_ - column);
    const float* const panel = down_.data() + column * rank_;
    const bool inside = width == kPanel;
    std::uint64_t count = 0;
    for (std::uint64_t row = first_row; row < end_row; row += count) {
      count = std::min(kRows - row % kRows, end_row - row);
      float* const to = out.data() + (row - first_row) * columns_ + column;
      HWY_DYNAMIC_DISPATCH(PanelRows)
      (UpOf(row), panel, rank_, inside ? to : narrow.data(), inside ? columns_ : kPanel, count);
      for (std::uint64_t r = 0; !inside && r < count; ++r) {
        std::copy_n(narrow.data() + r * kPanel, width, to + r * columns_);
      }
    }
  }
}

void LowRank::FillPartOfRow(std::uint64_t first, std::span<float> out) const {
  if (out.empty()) return;
  const std::uint64_t row = first / columns_;
  const std::uint64_t begin = first % columns_;
  const std::uint64_t end = begin + out.size();
  alignas(64) std::array<float, kPanel> values;
  for (std::uint64_t column = begin / kPanel * kPanel; column < end; column += kPanel) {
    HWY_DYNAMIC_DISPATCH(PanelRows)
    (UpOf(row), down_.data() + column * rank_, rank_, values.data(), kPanel, 1);
    const std::uint64_t from = std::max(column, begin);
    const std::uint64_t to = std::min<std::uint64_t>(column + kPanel, end);
    std::copy_n(values.data() + (from - column), to - from, out.data() + (from - begin));
  }
}

}  // namespace weightsmith::internal
#endif  // HWY_ONCE
