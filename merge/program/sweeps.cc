#include "merge/program/sweeps.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "merge/program/sweeps.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "merge/program/sweeps-inl.h"

#if HWY_ONCE
namespace weightsmith::internal {
namespace {

HWY_EXPORT(RotateStrip);
HWY_EXPORT(AddRowsTo);

/// Numbers below which a sum of rows, about a millisecond, is not shared.
constexpr std::size_t kSharedSum = std::size_t{1} << 20;
/// Columns of a sum that a thread computes.
constexpr std::size_t kSumColumns = 256;

}  // namespace

void RotateRows(std::span<const Sweep> sweeps, Matrix& rows, const Poll& poll) {
  if (sweeps.empty()) return;
  poll.ForEach((rows.columns + kRotatedColumns - 1) / kRotatedColumns, [&](std::size_t part) {
    AlignedVector<double> strip(rows.rows * kRotatedColumns);
    const std::size_t j = part * kRotatedColumns;
    const std::size_t width = std::min(kRotatedColumns, rows.columns - j);
    for (std::size_t i = 0; i < rows.rows; ++i) {
      std::copy_n(rows.row(i).begin() + static_cast<std::ptrdiff_t>(j), width,
                  strip.begin() + static_cast<std::ptrdiff_t>(i * kRotatedColumns));
    }
    for (const Sweep& sweep : sweeps) {
      HWY_DYNAMIC_DISPATCH(RotateStrip)
      (sweep.rotations.data(), sweep.rotations.size(),
       strip.data() + sweep.first * kRotatedColumns);
    }
    for (std::size_t i = 0; i < rows.rows; ++i) {
      std::copy_n(strip.begin() + static_cast<std::ptrdiff_t>(i * kRotatedColumns), width,
                  rows.row(i).begin() + static_cast<std::ptrdiff_t>(j));
    }
  });
}

void AddRowsTo(std::span<const double> factors, ConstMatrixPart rows, std::span<double> sum,
               const Poll& poll) {
  const auto add = [&](std::size_t first, std::size_t count) {
    HWY_DYNAMIC_DISPATCH(AddRowsTo)
    (factors.data(), rows.values + first, rows.stride, factors.size(), sum.data() + first, count);
  };
  if (factors.size() * sum.size() < kSharedSum) return add(0, sum.size());
  poll.ForEach((sum.size() + kSumColumns - 1) / kSumColumns, [&](std::size_t part) {
    const std::size_t first = part * kSumColumns;
    add(first, std::min(kSumColumns, sum.size() - first));
  });
}

}  // namespace weightsmith::internal
#endif  // HWY_ONCE
