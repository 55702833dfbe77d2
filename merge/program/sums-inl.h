// The sums of an effect, once for every instruction set.

#if defined(WEIGHTSMITH_MERGE_SUMS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef WEIGHTSMITH_MERGE_SUMS_INL_H_
#undef WEIGHTSMITH_MERGE_SUMS_INL_H_
#else
#define WEIGHTSMITH_MERGE_SUMS_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>

#include "merge/program/tape.h"

HWY_BEFORE_NAMESPACE();
namespace weightsmith::internal {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

/// Sums are kept in as many lanes whatever the width of a vector, so that they do not depend on it.
constexpr std::size_t kLanes = 16;

template <class T>
using Tag = hn::CappedTag<T, kLanes>;
template <class T>
using Vector = hn::Vec<Tag<T>>;

/// Vectors that hold kLanes.
template <class T>
constexpr std::size_t kVectors = kLanes / hn::MaxLanes(Tag<T>());

/// Lanes that count what a lane of T holds.
template <class T>
using CountTag = hn::RebindToSigned<Tag<T>>;

/// The sums of an effect while they are taken.
template <class T>
struct Sums {
  // The one that GCC would make is not compiled for the target, and cannot construct its vectors.
  HWY_INLINE Sums() {}  // NOLINT(modernize-use-equals-default)

  Vector<T> change[kVectors<T>];
  Vector<T> before[kVectors<T>];
  hn::Vec<CountTag<T>> changed[kVectors<T>];
};

template <class T>
HWY_INLINE Sums<T> NoSums() {
  Sums<T> sums;
  for (std::size_t v = 0; v < kVectors<T>; ++v) {
    sums.change[v] = hn::Zero(Tag<T>());
    sums.before[v] = hn::Zero(Tag<T>());
    sums.changed[v] = hn::Zero(CountTag<T>());
  }
  return sums;
}

/// Adds one in the lanes of a mask, which as an integer is -1 there.
template <class D, class Mask>
HWY_INLINE void CountLanes(D di, Mask mask, hn::Vec<D>& counts) {
  counts = hn::Sub(counts, hn::VecFromMask(di, hn::RebindMask(di, mask)));
}

/// Adds vector v of kLanes elements.
template <class T, class Mask>
HWY_INLINE void AddVector(std::size_t v, Vector<T> before, Vector<T> change, Mask changed,
                          Sums<T>& sums) {
  CountLanes(CountTag<T>(), changed, sums.changed[v]);
  sums.change[v] = hn::Add(sums.change[v], hn::Mul(change, change));
  sums.before[v] = hn::Add(sums.before[v], hn::Mul(before, before));
}

/// What `after` is compared with. A NaN is like a NaN, which only has to be seen where there is
/// one.
enum class Against { kBefore, kBeforeWithNan, kZero };

/// Adds kLanes elements.
template <Against kAgainst, class T>
HWY_INLINE void AddGroup(const T* before, const T* after, Sums<T>& sums) {
  const Tag<T> d;
  for (std::size_t v = 0; v < kVectors<T>; ++v) {
    const Vector<T> x = hn::Load(d, before + v * hn::MaxLanes(d));
    const Vector<T> y = hn::Load(d, after + v * hn::MaxLanes(d));
    const Vector<T> origin = kAgainst == Against::kZero ? hn::Zero(d) : x;
    auto alike = hn::Eq(origin, y);
    if constexpr (kAgainst == Against::kBeforeWithNan) {
      alike = hn::Or(alike, hn::And(hn::IsNaN(x), hn::IsNaN(y)));
    }
    const auto changed = hn::Not(alike);  // Ne of a NaN depends on the target
    AddVector(v, x, hn::IfThenElseZero(changed, hn::Sub(y, origin)), changed, sums);
  }
}

/// The lanes of all vectors, added in their order.
template <class Total, class D, std::size_t kCount>
HWY_INLINE Total Fold(D d, const hn::Vec<D> (&vectors)[kCount]) {
  HWY_ALIGN hn::TFromD<D> lanes[kCount * hn::MaxLanes(D())];
  for (std::size_t v = 0; v < kCount; ++v) hn::Store(vectors[v], d, lanes + v * hn::MaxLanes(D()));
  Total total = 0;
  for (const auto lane : lanes) total += static_cast<Total>(lane);
  return total;
}

template <class T>
HWY_INLINE Effect ToEffect(const Sums<T>& sums, std::size_t n) {
  const Tag<T> d;
  return {.elements = n,
          .changed = Fold<std::uint64_t>(CountTag<T>(), sums.changed),
          .change_squares = Fold<double>(d, sums.change),
          .before_squares = Fold<double>(d, sums.before)};
}

template <Against kAgainst, class T>
Effect Measure(const T* before, const T* after, std::size_t n) {
  Sums<T> sums = NoSums<T>();
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) AddGroup<kAgainst>(before + i, after + i, sums);
  if (i < n) {
    // The last, incomplete group: zeros behind it change no sum.
    HWY_ALIGN T last_before[kLanes] = {};
    HWY_ALIGN T last_after[kLanes] = {};
    std::copy(before + i, before + n, last_before);
    std::copy(after + i, after + n, last_after);
    AddGroup<kAgainst>(last_before, last_after, sums);
  }
  return ToEffect(sums, n);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace weightsmith::internal
HWY_AFTER_NAMESPACE();

#endif
