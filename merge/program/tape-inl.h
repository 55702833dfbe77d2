// The kernels of merge/program/tape.h, once for every instruction set. Loops run over whole
// vectors: a register has room for them, and what stands behind its n elements is computed and
// never read.

#if defined(WEIGHTSMITH_MERGE_TAPE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef WEIGHTSMITH_MERGE_TAPE_INL_H_
#undef WEIGHTSMITH_MERGE_TAPE_INL_H_
#else
#define WEIGHTSMITH_MERGE_TAPE_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "core/tensor/codec-inl.h"
#include "merge/program/elementary-inl.h"
#include "merge/program/groups.h"
#include "merge/program/random-inl.h"
#include "merge/program/sums-inl.h"
#include "merge/program/tape.h"

HWY_BEFORE_NAMESPACE();
namespace weightsmith::internal {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// Vector arithmetic. Every product and sum is rounded by itself: no fused multiply-add.

/// The lesser (the greater) of x and y whatever the order: NaN if either is, -0 below +0. The
/// instructions of CPUs differ in both.
template <class V>
HWY_INLINE V Lesser(V x, V y) {
  const V less = hn::IfThenElse(hn::Lt(x, y), x, y);
  const V either = hn::IfThenElse(hn::Eq(x, y), hn::Or(x, y), less);
  return hn::IfThenElse(hn::IsNaN(x), x, either);
}

template <class V>
HWY_INLINE V Greater(V x, V y) {
  const V greater = hn::IfThenElse(hn::Gt(x, y), x, y);
  const V either = hn::IfThenElse(hn::Eq(x, y), hn::And(x, y), greater);
  return hn::IfThenElse(hn::IsNaN(x), x, either);
}

template <class V>
HWY_INLINE V TrainDifference(V x, V s, V y, V z) {
  const V trained = hn::Sub(y, z);
  const V distance = hn::Abs(hn::Sub(y, x));
  const V whole = hn::Add(hn::Abs(trained), distance);
  const auto none = hn::Eq(whole, hn::Zero(hn::DFromV<V>()));
  const V ratio = hn::IfThenZeroElse(none, hn::Div(distance, whole));
  return hn::Add(x, hn::Mul(hn::Mul(s, trained), ratio));
}

template <class V>
HWY_INLINE V Quotient(V x, V y) {
  return hn::IfThenElse(hn::Eq(y, hn::Zero(hn::DFromV<V>())), x, hn::Div(x, y));
}

template <class V>
HWY_INLINE V KeepSign(V x, V y) {
  const V zero = hn::Zero(hn::DFromV<V>());
  const auto positive = hn::Ge(y, zero);
  const auto same =
      hn::Or(hn::And(positive, hn::Gt(x, zero)), hn::AndNot(positive, hn::Lt(x, zero)));
  return hn::IfThenElseZero(same, x);
}

template <class V>
HWY_INLINE V Sign(V x) {
  const hn::DFromV<V> d;
  const V zero = hn::Zero(d);
  const V one = hn::Set(d, 1);
  const V positive = hn::IfThenElseZero(hn::Gt(x, zero), one);
  return hn::IfThenElse(hn::Lt(x, zero), hn::Neg(one), positive);
}

/// out[i] = op(in[i]...) for n elements, rounded up to whole vectors. `out` may be an input.
template <class T, class Op, class... In>
HWY_INLINE void Map(std::size_t n, T* out, Op op, const In*... in) {
  const Tag<T> d;
  for (std::size_t i = 0; i < n; i += hn::Lanes(d)) {
    hn::Store(op(hn::Load(d, in + i)...), d, out + i);
  }
}

/// The same in f64.
template <class Op, class... In>
HWY_INLINE void MapWide(std::size_t n, double* out, Op op, const In*... in) {
  Map(n, out, op, in...);
}

template <class Op, class... In>
HWY_INLINE void MapWide(std::size_t n, float* out, Op op, const In*... in) {
  const Tag<double> d;
  const hn::Rebind<float, Tag<double>> narrow;
  for (std::size_t i = 0; i < n; i += hn::Lanes(d)) {
    const auto wide = op(hn::PromoteTo(d, hn::Load(narrow, in + i))...);
    hn::Store(ToFloat(narrow, wide), narrow, out + i);
  }
}

/// The first columns of each row from x, the others from y.
template <class T>
void KeepExtra(std::size_t n, std::uint64_t first, std::uint64_t row, std::uint64_t shared, T* out,
               const T* x, const T* y) {
  for (std::size_t i = 0; i < n;) {
    const std::uint64_t column = (first + i) % row;
    const std::uint64_t run = column < shared ? shared - column : row - column;
    const std::size_t end = i + static_cast<std::size_t>(std::min<std::uint64_t>(run, n - i));
    const T* in = column < shared ? x : y;
    if (in != out) std::copy(in + i, in + end, out + i);
    i = end;
  }
}

/// The least number that is at least `limit`, an f32, once it is rounded to f32 as those are that
/// limits are chosen from.
template <class T>
T LeastRoundedTo(double limit) {
  if constexpr (sizeof(T) == sizeof(float)) return static_cast<T>(limit);
  const auto single = static_cast<float>(limit);
  if (!(single > 0) || std::isinf(single)) return static_cast<T>(limit);
  const double below = std::nextafter(single, 0.0f);
  const double between = (below + static_cast<double>(single)) / 2;
  const bool even = (std::bit_cast<std::uint32_t>(single) & 1) == 0;
  return static_cast<T>(even ? between : std::nextafter(between, limit));
}

/// The largest number that is at most `limit`, an f32, once it is rounded to f32.
template <class T>
T GreatestRoundedTo(double limit) {
  if constexpr (sizeof(T) == sizeof(float)) return static_cast<T>(limit);
  const auto single = static_cast<float>(limit);
  if (!(single >= 0) || std::isinf(single)) return static_cast<T>(limit);
  const float above = std::nextafter(single, std::numeric_limits<float>::infinity());
  return static_cast<T>(std::nextafter(LeastRoundedTo<double>(static_cast<double>(above)), 0.0));
}

/// The number of each element's cell.
template <class T>
void Spread(std::size_t n, std::uint64_t first, const Grid& cells,
            const std::vector<double>& numbers, T* out) {
  if (cells.IsRows()) {
    std::uint64_t row = first / cells.columns;
    std::uint64_t run = cells.columns - (first - row * cells.columns);
    for (std::size_t i = 0; i < n; ++row, run = cells.columns) {
      const std::size_t end = i + static_cast<std::size_t>(std::min<std::uint64_t>(run, n - i));
      std::fill(out + i, out + end, static_cast<T>(numbers[row]));
      i = end;
    }
    return;
  }
  for (std::size_t i = 0; i < n;) {
    const std::uint64_t cell = cells.CellOf(first + i);
    const bool each = cells.cell_columns == 1;
    const std::uint64_t run =
        each ? cells.columns - (first + i) % cells.columns : cells.RunFrom(first + i);
    const std::size_t end = i + static_cast<std::size_t>(std::min<std::uint64_t>(run, n - i));
    if (each) {
      std::transform(numbers.data() + cell, numbers.data() + cell + (end - i), out + i,
                     [](double number) { return static_cast<T>(number); });
    } else {
      std::fill(out + i, out + end, static_cast<T>(numbers[cell]));
    }
    i = end;
  }
}

template <class T>
void Run(const Instruction& instruction, T* registers, std::size_t n, std::uint64_t first,
         const SlotValues& slots) {
  const Tag<T> d;
  using V = Vector<T>;
  using W = Vector<double>;
  const W wide = hn::Set(Tag<double>(), instruction.scalar[0]);
  T* out = registers + instruction.out * kTile;
  const T* x = registers + instruction.in[0] * kTile;
  const T* y = registers + instruction.in[1] * kTile;
  const T* z = registers + instruction.in[2] * kTile;
  const V s = hn::Set(d, static_cast<T>(instruction.scalar[0]));
  const V t = hn::Set(d, static_cast<T>(instruction.scalar[1]));
  switch (instruction.code) {
    case OpCode::kConstant:
      return Map(n, out, [&]() HWY_ATTR { return s; });
    case OpCode::kScale:
      return Map(
          n, out, [&](V a) HWY_ATTR { return hn::Mul(s, a); }, x);
    case OpCode::kDivide:
      return Map(
          n, out, [&](V a) HWY_ATTR { return hn::Div(a, s); }, x);
    case OpCode::kAdd:
      return Map(
          n, out, [&](V a, V b) HWY_ATTR { return hn::Add(a, b); }, x, y);
    case OpCode::kSubtract:
      return Map(
          n, out, [&](V a, V b) HWY_ATTR { return hn::Sub(a, b); }, x, y);
    case OpCode::kMultiply:
      return Map(
          n, out, [&](V a, V b) HWY_ATTR { return hn::Mul(a, b); }, x, y);
    case OpCode::kBlend:
      return Map(
          n, out, [&](V a, V b) HWY_ATTR { return hn::Add(hn::Mul(s, a), hn::Mul(t, b)); }, x, y);
    case OpCode::kAddScaled:
      return Map(
          n, out, [&](V a, V b) HWY_ATTR { return hn::Add(a, hn::Mul(s, b)); }, x, y);
    case OpCode::kAddDifference:
      return Map(
          n, out, [&](V a, V b, V c) HWY_ATTR { return hn::Add(a, hn::Mul(s, hn::Sub(b, c))); }, x,
          y, z);
    case OpCode::kTrainDifference:
      return Map(
          n, out, [&](V a, V b, V c) HWY_ATTR { return TrainDifference(a, s, b, c); }, x, y, z);
    case OpCode::kMin:
      return Map(
          n, out, [&](V a, V b) HWY_ATTR { return Lesser(a, b); }, x, y);
    case OpCode::kMax:
      return Map(
          n, out, [&](V a, V b) HWY_ATTR { return Greater(a, b); }, x, y);
    case OpCode::kMagnitude:
      return Map(
          n, out, [&](V a) HWY_ATTR { return hn::Abs(a); }, x);
    case OpCode::kSquareRoot:
      return Map(
          n, out, [&](V a) HWY_ATTR { return hn::Sqrt(a); }, x);
    case OpCode::kOrElse:
      return Map(
          n, out, [&](V a, V b) HWY_ATTR { return hn::IfThenElse(hn::IsNaN(a), b, a); }, x, y);
    case OpCode::kExponential:
      return MapWide(
          n, out, [&](W a) HWY_ATTR { return ExponentialOf(a); }, x);
    case OpCode::kLogarithm:
      return MapWide(
          n, out, [&](W a) HWY_ATTR { return LogarithmOf(a); }, x);
    case OpCode::kHyperbolicTangent:
      return MapWide(
          n, out, [&](W a) HWY_ATTR { return HyperbolicTangentOf(a); }, x);
    case OpCode::kCosine:
      return MapWide(
          n, out, [&](W a) HWY_ATTR { return CosineOf(a); }, x);
    case OpCode::kPower:
      return MapWide(
          n, out, [&](W a) HWY_ATTR { return PowerOf(a, wide); }, x);
    case OpCode::kPowerOf:
      return MapWide(
          n, out, [&](W a, W b) HWY_ATTR { return PowerOf(a, b); }, x, y);
    case OpCode::kKeepExtra:
      return KeepExtra(n, first, static_cast<std::uint64_t>(instruction.scalar[0]),
                       static_cast<std::uint64_t>(instruction.scalar[1]), out, x, y);
    case OpCode::kQuotient:
      return Map(
          n, out, [&](V a, V b) HWY_ATTR { return Quotient(a, b); }, x, y);
    case OpCode::kKeepAtLeast: {
      const V least = hn::Set(d, LeastRoundedTo<T>(instruction.scalar[0]));
      return Map(
          n, out, [&](V a) HWY_ATTR { return hn::IfThenElseZero(hn::Ge(hn::Abs(a), least), a); },
          x);
    }
    case OpCode::kKeepSign:
      return Map(
          n, out, [&](V a, V b) HWY_ATTR { return KeepSign(a, b); }, x, y);
    case OpCode::kWhereNotZero:
      return Map(
          n, out, [&](V a) HWY_ATTR { return hn::IfThenZeroElse(hn::Eq(a, hn::Zero(d)), s); }, x);
    case OpCode::kSpread:
      return Spread(n, first, instruction.cells, slots[instruction.slot[0]], out);
    case OpCode::kUniform:
      return Uniform(n, first, instruction.stream, out);
    case OpCode::kNormal:
      return Normal(n, first, instruction.stream, out);
    case OpCode::kKeepBelow:
      return Map(
          n, out, [&](V a, V b, V c) HWY_ATTR { return hn::IfThenElseZero(hn::Lt(b, c), a); }, x, y,
          z);
    case OpCode::kKeepAtMost: {
      const V most = hn::Set(d, GreatestRoundedTo<T>(instruction.scalar[0]));
      return Map(
          n, out, [&](V a) HWY_ATTR { return hn::IfThenElseZero(hn::Le(hn::Abs(a), most), a); }, x);
    }
    case OpCode::kChoose:
      return Map(
          n, out,
          [&](V a, V b, V c) HWY_ATTR { return hn::IfThenElse(hn::Eq(a, hn::Zero(d)), c, b); }, x,
          y, z);
    case OpCode::kSign:
      return Map(
          n, out, [&](V a) HWY_ATTR { return Sign(a); }, x);
    case OpCode::kKeepLargest:
      return KeepLargestOfGroups(std::span(x, n), static_cast<std::size_t>(instruction.scalar[0]),
                                 static_cast<std::size_t>(instruction.scalar[1]),
                                 std::span(out, n));
  }
}

template <class T>
void RunAll(const Tape& tape, T* registers, std::size_t n, std::uint64_t first,
            const SlotValues& slots) {
  for (const Instruction& instruction : tape.instructions) {
    Run(instruction, registers, n, first, slots);
  }
}

template <class T>
Effect MeasureProbe(const Probe& probe, const T* registers, std::size_t n) {
  const T* before = registers + probe.before * kTile;
  const T* after = registers + probe.after * kTile;
  if (probe.against_zero) return Measure<Against::kZero>(before, after, n);
  const Effect effect = Measure<Against::kBefore>(before, after, n);
  if (!std::isnan(effect.before_squares)) return effect;
  return Measure<Against::kBeforeWithNan>(before, after, n);
}

template <class T>
std::size_t CountNotBelow(const T* values, std::size_t n, T limit) {
  const Tag<T> d;
  const Vector<T> bound = hn::Set(d, limit);
  std::size_t below = 0;
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (std::size_t v = 0; v < kLanes; v += hn::MaxLanes(d)) {
      const Vector<T> magnitude = hn::Abs(hn::LoadU(d, values + i + v));
      below += hn::CountTrue(d, hn::Lt(magnitude, bound));
    }
  }
  for (; i < n; ++i) below += values[i] < limit && -values[i] < limit;
  return n - below;
}

template <class Word>
std::size_t CountDifferent(const Word* a, const Word* b, std::size_t n) {
  const hn::ScalableTag<Word> d;
  std::size_t equal = 0;
  std::size_t i = 0;
  for (; i + hn::Lanes(d) <= n; i += hn::Lanes(d)) {
    equal += hn::CountTrue(d, hn::Eq(hn::LoadU(d, a + i), hn::LoadU(d, b + i)));
  }
  for (; i < n; ++i) equal += a[i] == b[i] ? 1 : 0;
  return n - equal;
}

std::size_t CountDifferentElements(const void* a, const void* b, std::size_t n, std::size_t size) {
  switch (size) {
    case 1:
      return CountDifferent(static_cast<const std::uint8_t*>(a),
                            static_cast<const std::uint8_t*>(b), n);
    case 2:
      return CountDifferent(static_cast<const std::uint16_t*>(a),
                            static_cast<const std::uint16_t*>(b), n);
    case 4:
      return CountDifferent(static_cast<const std::uint32_t*>(a),
                            static_cast<const std::uint32_t*>(b), n);
    default:
      return CountDifferent(static_cast<const std::uint64_t*>(a),
                            static_cast<const std::uint64_t*>(b), n);
  }
}

void RunFloat(const Tape& tape, float* registers, std::size_t n, std::uint64_t first,
              const SlotValues& slots) {
  RunAll(tape, registers, n, first, slots);
}

void RunDouble(const Tape& tape, double* registers, std::size_t n, std::uint64_t first,
               const SlotValues& slots) {
  RunAll(tape, registers, n, first, slots);
}

Effect MeasureFloat(const Probe& probe, const float* registers, std::size_t n) {
  return MeasureProbe(probe, registers, n);
}

Effect MeasureDouble(const Probe& probe, const double* registers, std::size_t n) {
  return MeasureProbe(probe, registers, n);
}

std::size_t CountFloat(const float* values, std::size_t n, float limit) {
  return CountNotBelow(values, n, limit);
}

std::size_t CountDouble(const double* values, std::size_t n, double limit) {
  return CountNotBelow(values, n, limit);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace weightsmith::internal
HWY_AFTER_NAMESPACE();

#endif
