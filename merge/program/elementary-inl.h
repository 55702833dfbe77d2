// Exponentials, logarithms and cosines of vectors of f64, once for every instruction set: the
// operations of core/base/elementary.cc in the same order, and so the same bits.

#if defined(WEIGHTSMITH_MERGE_ELEMENTARY_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef WEIGHTSMITH_MERGE_ELEMENTARY_INL_H_
#undef WEIGHTSMITH_MERGE_ELEMENTARY_INL_H_
#else
#define WEIGHTSMITH_MERGE_ELEMENTARY_INL_H_
#endif

#include <hwy/highway.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "core/base/elementary_numbers.h"

HWY_BEFORE_NAMESPACE();
namespace weightsmith::internal {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

/// The coefficients of a series, the last one first. No fused multiply-add.
template <class V, std::size_t kTerms>
HWY_INLINE V Polynomial(V x, const std::array<double, kTerms>& terms) {
  const hn::DFromV<V> d;
  V sum = hn::Set(d, terms[kTerms - 1]);
  for (std::size_t n = kTerms - 1; n-- > 0;) sum = hn::Add(hn::Mul(sum, x), hn::Set(d, terms[n]));
  return sum;
}

/// 2^k of the integer k in the lowest bits of a shifted number.
template <class V>
HWY_INLINE V PowerOfTwo(V shifted) {
  const hn::DFromV<V> d;
  const hn::RebindToUnsigned<hn::DFromV<V>> du;
  const auto biased = hn::Add(hn::BitCast(du, shifted), hn::Set(du, elementary::kBias));
  return hn::BitCast(d, hn::ShiftLeft<elementary::kMantissaBits>(biased));
}

template <class V>
HWY_INLINE V ExponentialOf(V x) {
  using namespace elementary;
  const hn::DFromV<V> d;
  const V shift = hn::Set(d, kShift);
  const V least = hn::Set(d, kLeastExponent);
  const V most = hn::Set(d, kMostExponent);
  // A NaN is held as well, and put back at the end.
  V held = hn::IfThenElse(hn::Gt(x, least), x, least);
  held = hn::IfThenElse(hn::Lt(held, most), held, most);
  const V count = hn::Sub(hn::Add(hn::Mul(held, hn::Set(d, kOverLog2)), shift), shift);
  const V rest = hn::Sub(hn::Sub(held, hn::Mul(count, hn::Set(d, kLog2High))),
                         hn::Mul(count, hn::Set(d, kLog2Low)));
  const V half_shifted = hn::Add(hn::Mul(count, hn::Set(d, 0.5)), shift);
  const V other_shifted = hn::Add(hn::Sub(count, hn::Sub(half_shifted, shift)), shift);
  const V series = Polynomial(rest, kExponentialSeries);
  const V result =
      hn::Mul(hn::Mul(hn::Add(hn::Set(d, 1.0), hn::Mul(rest, series)), PowerOfTwo(half_shifted)),
              PowerOfTwo(other_shifted));
  return hn::IfThenElse(hn::IsNaN(x), x, result);
}

template <class V>
HWY_INLINE V LogarithmOf(V x) {
  using namespace elementary;
  const hn::DFromV<V> d;
  const hn::RebindToUnsigned<hn::DFromV<V>> du;
  const V zero = hn::Zero(d);
  const V infinity = hn::Set(d, std::numeric_limits<double>::infinity());
  const auto tiny = hn::Lt(x, hn::Set(d, std::numeric_limits<double>::min()));
  const auto bits = hn::BitCast(du, hn::IfThenElse(tiny, hn::Mul(x, hn::Set(d, kFromTiny)), x));
  const auto moved = hn::Add(hn::Sub(bits, hn::Set(du, kRootHalf)), hn::Set(du, kCountBias));
  const auto counted = hn::ShiftRight<kMantissaBits>(moved);
  const V shifted =
      hn::Sub(hn::BitCast(d, hn::Add(hn::Set(du, kShiftBits), counted)), hn::Set(d, kShift));
  const V count = hn::Sub(hn::Sub(shifted, hn::Set(d, kCountOffset)),
                          hn::IfThenElseZero(tiny, hn::Set(d, kTinyBits)));
  const V part = hn::BitCast(
      d, hn::Sub(bits, hn::Sub(hn::ShiftLeft<kMantissaBits>(counted), hn::Set(du, kCountBias))));
  const V f = hn::Sub(part, hn::Set(d, 1.0));
  const V s = hn::Div(f, hn::Add(hn::Set(d, 2.0), f));
  const V half_square = hn::Mul(hn::Mul(hn::Set(d, 0.5), f), f);
  const V square = hn::Mul(s, s);
  const V series = hn::Mul(Polynomial(square, kLogarithmSeries), square);
  const V tail =
      hn::Add(hn::Mul(s, hn::Add(half_square, series)), hn::Mul(count, hn::Set(d, kLog2Low)));
  const V result =
      hn::Sub(hn::Mul(count, hn::Set(d, kLog2High)), hn::Sub(hn::Sub(half_square, tail), f));
  // Of 0, of what is below it, and of what is no number.
  const V at_most_zero = hn::IfThenElse(hn::Eq(x, zero), hn::Neg(infinity), hn::NaN(d));
  const V known = hn::IfThenElse(hn::Gt(x, zero), result, at_most_zero);
  return hn::IfThenElse(hn::Or(hn::IsNaN(x), hn::Eq(x, infinity)), x, known);
}

template <class V>
HWY_INLINE V HyperbolicTangentOf(V x) {
  using namespace elementary;
  const hn::DFromV<V> d;
  const V one = hn::Set(d, 1.0);
  const V two = hn::Set(d, 2.0);
  const V twice = hn::Mul(two, hn::Abs(x));
  const V less_one = hn::Mul(twice, Polynomial(twice, kExponentialSeries));
  const V near = hn::Div(less_one, hn::Add(less_one, two));
  const V far = hn::Sub(one, hn::Div(two, hn::Add(ExponentialOf(twice), one)));
  const V result = hn::IfThenElse(hn::Lt(twice, hn::Set(d, kSmallTwice)), near, far);
  return hn::IfThenElse(hn::IsNaN(x), x, hn::CopySign(result, x));
}

template <class V>
HWY_INLINE V PowerOf(V x, V y) {
  const hn::DFromV<V> d;
  return hn::IfThenElse(hn::Eq(y, hn::Zero(d)), hn::Set(d, 1.0),
                        ExponentialOf(hn::Mul(y, LogarithmOf(x))));
}

template <class V>
HWY_INLINE V CosineOf(V x) {
  using namespace elementary;
  const hn::DFromV<V> d;
  const hn::RebindToUnsigned<hn::DFromV<V>> du;
  const V shifted = hn::Add(hn::Mul(x, hn::Set(d, kOverHalfPi)), hn::Set(d, kShift));
  const V count = hn::Sub(shifted, hn::Set(d, kShift));
  const V rest = hn::Sub(hn::Sub(hn::Sub(x, hn::Mul(count, hn::Set(d, kHalfPiHigh))),
                                 hn::Mul(count, hn::Set(d, kHalfPiMiddle))),
                         hn::Mul(count, hn::Set(d, kHalfPiLow)));
  const V square = hn::Mul(rest, rest);
  const V sine = hn::Add(rest, hn::Mul(hn::Mul(rest, square), Polynomial(square, kSineSeries)));
  const V cosine = hn::Add(hn::Set(d, 1.0), hn::Mul(square, Polynomial(square, kCosineSeries)));
  // cos of 0, 1, 2, 3 quarters more: cos, -sin, -cos, sin.
  const auto quarter = hn::BitCast(du, shifted);
  const auto bit = [&](std::uint64_t which, auto of) HWY_ATTR {
    return hn::RebindMask(d, hn::Ne(hn::And(of, hn::Set(du, which)), hn::Zero(du)));
  };
  const V value = hn::IfThenElse(bit(1, quarter), sine, cosine);
  return hn::IfThenElse(bit(2, hn::Add(quarter, hn::Set(du, std::uint64_t{1}))), hn::Neg(value),
                        value);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace weightsmith::internal
HWY_AFTER_NAMESPACE();

#endif
