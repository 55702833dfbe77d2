// Kernels of merge/program/sweeps.h, once for every instruction set. Elements do not depend on
// the width of vectors: each is computed by itself, in the order of rows.

#if defined(WEIGHTSMITH_MERGE_SWEEPS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef WEIGHTSMITH_MERGE_SWEEPS_INL_H_
#undef WEIGHTSMITH_MERGE_SWEEPS_INL_H_
#else
#define WEIGHTSMITH_MERGE_SWEEPS_INL_H_
#endif

#include <hwy/highway.h>

#include <cstddef>

#include "merge/program/sweeps.h"

HWY_BEFORE_NAMESPACE();
namespace weightsmith::internal {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using RotationTag = hn::CappedTag<double, kRotatedColumns>;
constexpr std::size_t kRotatedVectors = kRotatedColumns / hn::MaxLanes(RotationTag());

/// Rotates rows of kRotatedColumns numbers each, every one with the next from the first on.
void RotateStrip(const Rotation* rotations, std::size_t count, double* rows) {
  const RotationTag d;
  constexpr std::size_t kLanes = hn::MaxLanes(RotationTag());
  hn::Vec<RotationTag> upper[kRotatedVectors];
  for (std::size_t v = 0; v < kRotatedVectors; ++v) upper[v] = hn::LoadU(d, rows + v * kLanes);
  for (std::size_t i = 0; i < count; ++i) {
    const auto cosine = hn::Set(d, rotations[i].cosine);
    const auto sine = hn::Set(d, rotations[i].sine);
    double* const row = rows + i * kRotatedColumns;
    for (std::size_t v = 0; v < kRotatedVectors; ++v) {
      const auto lower = hn::LoadU(d, row + kRotatedColumns + v * kLanes);
      hn::StoreU(hn::Add(hn::Mul(cosine, upper[v]), hn::Mul(sine, lower)), d, row + v * kLanes);
      upper[v] = hn::Sub(hn::Mul(cosine, lower), hn::Mul(sine, upper[v]));
    }
  }
  double* const last = rows + count * kRotatedColumns;
  for (std::size_t v = 0; v < kRotatedVectors; ++v) hn::StoreU(upper[v], d, last + v * kLanes);
}

/// sum ← sum + Σ factors[i]·row i, four rows at a time.
void AddRowsTo(const double* factors, const double* rows, std::size_t stride, std::size_t count,
               double* sum, std::size_t size) {
  const hn::ScalableTag<double> d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    const double* const row = rows + i * stride;
    const auto f0 = hn::Set(d, factors[i]);
    const auto f1 = hn::Set(d, factors[i + 1]);
    const auto f2 = hn::Set(d, factors[i + 2]);
    const auto f3 = hn::Set(d, factors[i + 3]);
    std::size_t j = 0;
    for (; j + lanes <= size; j += lanes) {
      auto s = hn::LoadU(d, sum + j);
      s = hn::Add(s, hn::Mul(f0, hn::LoadU(d, row + j)));
      s = hn::Add(s, hn::Mul(f1, hn::LoadU(d, row + stride + j)));
      s = hn::Add(s, hn::Mul(f2, hn::LoadU(d, row + 2 * stride + j)));
      s = hn::Add(s, hn::Mul(f3, hn::LoadU(d, row + 3 * stride + j)));
      hn::StoreU(s, d, sum + j);
    }
    for (; j < size; ++j) {
      double s = sum[j];
      for (std::size_t r = 0; r < 4; ++r) s += factors[i + r] * row[r * stride + j];
      sum[j] = s;
    }
  }
  for (; i < count; ++i) {
    for (std::size_t j = 0; j < size; ++j) sum[j] += factors[i] * rows[i * stride + j];
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace weightsmith::internal
HWY_AFTER_NAMESPACE();

#endif
