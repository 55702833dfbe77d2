// The kernel of Multiply in merge/program/matrix.h, once for every instruction set.

#if defined(WEIGHTSMITH_MERGE_PRODUCT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef WEIGHTSMITH_MERGE_PRODUCT_INL_H_
#undef WEIGHTSMITH_MERGE_PRODUCT_INL_H_
#else
#define WEIGHTSMITH_MERGE_PRODUCT_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>

#include "merge/program/matrix.h"

HWY_BEFORE_NAMESPACE();
namespace weightsmith::internal {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

/// Terms that are added to a part of the result before the next part is at hand.
constexpr std::size_t kTerms = 256;
/// Columns of a strip of b, which lies together while rows of a pass by; whatever the width of a
/// vector is, so that buffers are as large.
constexpr std::size_t kStrip = 16;
/// Rows of a at once.
constexpr std::size_t kRowsAtOnce = 4;

using ProductTag = hn::CappedTag<double, kStrip>;
constexpr std::size_t kVectors = kStrip / hn::MaxLanes(ProductTag());
/// Vectors of a strip whose sums are in registers at once.
constexpr std::size_t kHeld = kVectors < 2 ? kVectors : 2;

/// Adds to `rows` rows of c, of kStrip columns each, the products of `terms` elements of the rows
/// of a with a strip of b.
template <std::size_t rows>
HWY_INLINE void AddProducts(const double* a, std::size_t a_stride, const double* strip,
                            std::size_t terms, double* c, std::size_t c_stride) {
  const ProductTag d;
  constexpr std::size_t kLanes = hn::MaxLanes(ProductTag());
  for (std::size_t v = 0; v < kVectors; v += kHeld) {
    hn::Vec<ProductTag> sums[rows][kHeld];
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t h = 0; h < kHeld; ++h) {
        sums[r][h] = hn::LoadU(d, c + r * c_stride + (v + h) * kLanes);
      }
    }
    for (std::size_t k = 0; k < terms; ++k) {
      hn::Vec<ProductTag> column[kHeld];
      for (std::size_t h = 0; h < kHeld; ++h) {
        column[h] = hn::LoadU(d, strip + k * kStrip + (v + h) * kLanes);
      }
      for (std::size_t r = 0; r < rows; ++r) {
        const auto factor = hn::Set(d, a[r * a_stride + k]);
        for (std::size_t h = 0; h < kHeld; ++h) {
          sums[r][h] = hn::Add(sums[r][h], hn::Mul(factor, column[h]));
        }
      }
    }
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t h = 0; h < kHeld; ++h) {
        hn::StoreU(sums[r][h], d, c + r * c_stride + (v + h) * kLanes);
      }
    }
  }
}

/// Adds to the rows of c from `first` on, `count` at most kRowsAtOnce, in `width` columns.
HWY_INLINE void AddRows(const double* a, std::size_t a_stride, const double* strip,
                        std::size_t terms, double* c, std::size_t c_stride, std::size_t count,
                        std::size_t width) {
  if (count == kRowsAtOnce && width == kStrip) {
    AddProducts<kRowsAtOnce>(a, a_stride, strip, terms, c, c_stride);
    return;
  }
  for (std::size_t r = 0; r < count; ++r) {
    HWY_ALIGN double whole[kStrip] = {};
    std::copy_n(c + r * c_stride, width, whole);
    AddProducts<1>(a + r * a_stride, a_stride, strip, terms, whole, kStrip);
    std::copy_n(whole, width, c + r * c_stride);
  }
}

/// c ← c + a·b for `terms` columns of a and rows of b, at most kTerms, in a strip of b of `width`
/// columns.
void MultiplyStrip(const double* a, std::size_t a_stride, const double* b, std::size_t b_stride,
                   std::size_t rows, std::size_t terms, std::size_t width, double* c,
                   std::size_t c_stride) {
  HWY_ALIGN double strip[kTerms * kStrip];
  for (std::size_t k = 0; k < terms; ++k) {
    double* const to = strip + k * kStrip;
    std::copy_n(b + k * b_stride, width, to);
    std::fill(to + width, to + kStrip, 0.0);
  }
  for (std::size_t i = 0; i < rows; i += kRowsAtOnce) {
    AddRows(a + i * a_stride, a_stride, strip, terms, c + i * c_stride, c_stride,
            std::min(kRowsAtOnce, rows - i), width);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace weightsmith::internal
HWY_AFTER_NAMESPACE();

#endif
