// The kernels of merge/program/reduction.h, once for every instruction set.

#if defined(WEIGHTSMITH_MERGE_REDUCTION_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef WEIGHTSMITH_MERGE_REDUCTION_INL_H_
#undef WEIGHTSMITH_MERGE_REDUCTION_INL_H_
#else
#define WEIGHTSMITH_MERGE_REDUCTION_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "merge/program/reduction.h"

HWY_BEFORE_NAMESPACE();
namespace weightsmith::internal {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

/// Sums have as many lanes whatever the width of a vector, so that they do not depend on it.
constexpr std::size_t kSumLanes = 16;

using DoubleTag = hn::CappedTag<double, kSumLanes>;
using DoubleVector = hn::Vec<DoubleTag>;
constexpr std::size_t kSumVectors = kSumLanes / hn::MaxLanes(DoubleTag());

HWY_INLINE DoubleVector LoadDouble(const float* values) {
  const DoubleTag d;
  return hn::PromoteTo(d, hn::LoadU(hn::Rebind<float, DoubleTag>(), values));
}

HWY_INLINE DoubleVector LoadDouble(const double* values) {
  return hn::LoadU(DoubleTag(), values);
}

/// The lanes, added in their order.
HWY_INLINE double FoldLanes(const DoubleVector (&sums)[kSumVectors]) {
  const DoubleTag d;
  HWY_ALIGN double lanes[kSumLanes];
  for (std::size_t v = 0; v < kSumVectors; ++v) {
    hn::Store(sums[v], d, lanes + v * hn::MaxLanes(d));
  }
  double total = 0;
  for (const double lane : lanes) total += lane;
  return total;
}

/// Σ of what `term` makes of kSumLanes elements at a time; zeros stand behind the last ones.
template <class T, class Term>
HWY_INLINE double SumTerms(std::size_t n, const T* x, const T* y, const Term& term) {
  const DoubleTag d;
  constexpr std::size_t kStep = hn::MaxLanes(DoubleTag());
  DoubleVector sums[kSumVectors];
  for (std::size_t v = 0; v < kSumVectors; ++v) sums[v] = hn::Zero(d);
  std::size_t i = 0;
  for (; i + kSumLanes <= n; i += kSumLanes) {
    for (std::size_t v = 0; v < kSumVectors; ++v) {
      sums[v] = hn::Add(sums[v], term(x + i + v * kStep, y + i + v * kStep));
    }
  }
  if (i < n) {
    HWY_ALIGN T last_x[kSumLanes] = {};
    HWY_ALIGN T last_y[kSumLanes] = {};
    std::copy(x + i, x + n, last_x);
    std::copy(y + i, y + n, last_y);
    for (std::size_t v = 0; v < kSumVectors; ++v) {
      sums[v] = hn::Add(sums[v], term(last_x + v * kStep, last_y + v * kStep));
    }
  }
  return FoldLanes(sums);
}

/// The sums of x·x, x·y and y·y, in lanes.
struct PairSums {
  // The one that GCC would make is not compiled for the target, and cannot construct its vectors.
  HWY_INLINE PairSums() {}  // NOLINT(modernize-use-equals-default)

  DoubleVector xx[kSumVectors];
  DoubleVector xy[kSumVectors];
  DoubleVector yy[kSumVectors];
};

/// Adds kSumLanes elements.
template <class T>
HWY_INLINE void AddPairGroup(const T* x, const T* y, PairSums& sums) {
  for (std::size_t v = 0; v < kSumVectors; ++v) {
    const DoubleVector of_x = LoadDouble(x + v * hn::MaxLanes(DoubleTag()));
    const DoubleVector of_y = LoadDouble(y + v * hn::MaxLanes(DoubleTag()));
    sums.xx[v] = hn::Add(sums.xx[v], hn::Mul(of_x, of_x));
    sums.xy[v] = hn::Add(sums.xy[v], hn::Mul(of_x, of_y));
    sums.yy[v] = hn::Add(sums.yy[v], hn::Mul(of_y, of_y));
  }
}

/// Each of the sums is what SumTerms gives.
template <class T>
PairDots SumPair(std::size_t n, const T* x, const T* y) {
  PairSums sums;
  for (std::size_t v = 0; v < kSumVectors; ++v) {
    sums.xx[v] = hn::Zero(DoubleTag());
    sums.xy[v] = hn::Zero(DoubleTag());
    sums.yy[v] = hn::Zero(DoubleTag());
  }
  std::size_t i = 0;
  for (; i + kSumLanes <= n; i += kSumLanes) AddPairGroup(x + i, y + i, sums);
  if (i < n) {
    HWY_ALIGN T last_x[kSumLanes] = {};
    HWY_ALIGN T last_y[kSumLanes] = {};
    std::copy(x + i, x + n, last_x);
    std::copy(y + i, y + n, last_y);
    AddPairGroup(last_x, last_y, sums);
  }
  return {FoldLanes(sums.xx), FoldLanes(sums.xy), FoldLanes(sums.yy)};
}

template <class T>
double Largest(std::size_t n, const T* x) {
  const hn::ScalableTag<T> d;
  auto most = hn::Zero(d);
  std::size_t i = 0;
  for (; i + hn::Lanes(d) <= n; i += hn::Lanes(d)) {
    const auto magnitude = hn::Abs(hn::LoadU(d, x + i));
    most = hn::IfThenElse(hn::Gt(magnitude, most), magnitude, most);
  }
  HWY_ALIGN T lanes[hn::MaxLanes(d)];
  hn::Store(most, d, lanes);
  T largest = 0;
  for (std::size_t lane = 0; lane < hn::Lanes(d); ++lane) largest = std::max(largest, lanes[lane]);
  for (; i < n; ++i) largest = std::max(largest, std::abs(x[i]));
  return static_cast<double>(largest);
}

template <class T>
double ReduceTile(ReductionCode code, const T* x, const T* y, std::size_t n) {
  switch (code) {
    case ReductionCode::kSum:
      return SumTerms(n, x, x, [](const T* a, const T* /*b*/) HWY_ATTR { return LoadDouble(a); });
    case ReductionCode::kDot:
      if (x == y) {
        return SumTerms(n, x, x, [](const T* a, const T* /*b*/) HWY_ATTR {
          const DoubleVector value = LoadDouble(a);
          return hn::Mul(value, value);
        });
      }
      return SumTerms(n, x, y, [](const T* a, const T* b) HWY_ATTR {
        return hn::Mul(LoadDouble(a), LoadDouble(b));
      });
    case ReductionCode::kLargest:
      return Largest(n, x);
    case ReductionCode::kRanked:
      break;
  }
  return 0;
}

/// Adds to (raises) each of n results by its own element.
template <class T, class Term>
HWY_INLINE void AddEach(std::size_t n, const T* x, const T* y, double* results, const Term& term) {
  const DoubleTag d;
  constexpr std::size_t kStep = hn::MaxLanes(DoubleTag());
  std::size_t i = 0;
  for (; i + kStep <= n; i += kStep) {
    hn::StoreU(hn::Add(hn::LoadU(d, results + i), term(x + i, y + i)), d, results + i);
  }
  for (; i < n; ++i) {
    HWY_ALIGN T one_x[kStep] = {x[i]};
    HWY_ALIGN T one_y[kStep] = {y[i]};
    results[i] += hn::GetLane(term(one_x, one_y));
  }
}

HWY_INLINE void AddVectorTo(double* results, DoubleVector terms) {
  hn::StoreU(hn::Add(hn::LoadU(DoubleTag(), results), terms), DoubleTag(), results);
}

/// Adds to each of n results of x·x, x·y and y·y its own element's.
template <class T>
void AddEachPair(std::size_t n, const T* x, const T* y, double* HWY_RESTRICT xx,
                 double* HWY_RESTRICT xy, double* HWY_RESTRICT yy) {
  constexpr std::size_t kStep = hn::MaxLanes(DoubleTag());
  std::size_t i = 0;
  for (; i + kStep <= n; i += kStep) {
    const DoubleVector of_x = LoadDouble(x + i);
    const DoubleVector of_y = LoadDouble(y + i);
    AddVectorTo(xx + i, hn::Mul(of_x, of_x));
    AddVectorTo(xy + i, hn::Mul(of_x, of_y));
    AddVectorTo(yy + i, hn::Mul(of_y, of_y));
  }
  for (; i < n; ++i) {
    HWY_ALIGN T one_x[kStep] = {x[i]};
    HWY_ALIGN T one_y[kStep] = {y[i]};
    const DoubleVector of_x = LoadDouble(one_x);
    const DoubleVector of_y = LoadDouble(one_y);
    xx[i] += hn::GetLane(hn::Mul(of_x, of_x));
    xy[i] += hn::GetLane(hn::Mul(of_x, of_y));
    yy[i] += hn::GetLane(hn::Mul(of_y, of_y));
  }
}

template <class T>
void ReduceEach(ReductionCode code, const T* x, const T* y, std::size_t n, double* results) {
  switch (code) {
    case ReductionCode::kSum:
      return AddEach(n, x, x, results,
                     [](const T* a, const T* /*b*/) HWY_ATTR { return LoadDouble(a); });
    case ReductionCode::kDot:
      return AddEach(n, x, y, results, [](const T* a, const T* b) HWY_ATTR {
        return hn::Mul(LoadDouble(a), LoadDouble(b));
      });
    case ReductionCode::kLargest:
      for (std::size_t i = 0; i < n; ++i) {
        results[i] = std::max(results[i], static_cast<double>(std::abs(x[i])));
      }
      return;
    case ReductionCode::kRanked:
      return;
  }
}

void ReduceEachFloat(ReductionCode code, const float* x, const float* y, std::size_t n,
                     double* results) {
  ReduceEach(code, x, y, n, results);
}

void ReduceEachDouble(ReductionCode code, const double* x, const double* y, std::size_t n,
                      double* results) {
  ReduceEach(code, x, y, n, results);
}

double ReduceFloat(ReductionCode code, const float* x, const float* y, std::size_t n) {
  return ReduceTile(code, x, y, n);
}

double ReduceDouble(ReductionCode code, const double* x, const double* y, std::size_t n) {
  return ReduceTile(code, x, y, n);
}

PairDots PairFloat(const float* x, const float* y, std::size_t n) {
  return SumPair(n, x, y);
}

PairDots PairDouble(const double* x, const double* y, std::size_t n) {
  return SumPair(n, x, y);
}

void PairEachFloat(const float* x, const float* y, std::size_t n, double* xx, double* xy,
                   double* yy) {
  AddEachPair(n, x, y, xx, xy, yy);
}

void PairEachDouble(const double* x, const double* y, std::size_t n, double* xx, double* xy,
                    double* yy) {
  AddEachPair(n, x, y, xx, xy, yy);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace weightsmith::internal
HWY_AFTER_NAMESPACE();

#endif
