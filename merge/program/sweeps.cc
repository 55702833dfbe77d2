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

}  // namespace

void RotateRows(std::span<const Sweep> sweeps, Matrix& rows, const Poll& poll) {
  AlignedVector<double> strip(rows.rows * kRotatedColumns);
  for (std::size_t j = 0; j < rows.columns; j += kRotatedColumns) {
    poll();
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
  }
}

void AddRowsTo(std::span<const double> factors, ConstMatrixPart rows, std::span<double> sum) {
  HWY_DYNAMIC_DISPATCH(AddRowsTo)
  (factors.data(), rows.values, rows.stride, factors.size(), sum.data(), sum.size());
}

}  // namespace weightsmith::internal
#endif  // HWY_ONCE
