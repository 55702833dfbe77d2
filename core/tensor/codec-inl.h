// Conversions of one vector between stored codes and f32 lanes, for every instruction set.
//
// A format narrower than f32 is described by its bits alone; one template each way serves them all:
//
//   code   sign | exponent, biased by 2^(e-1) - 1 | mantissa
//
// All arithmetic is on integer lanes or exact, so that the bits are the same everywhere and do not
// depend on how the host treats denormal floats. Highway's own demotions truncate on some targets.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include <hwy/highway.h>

#if defined(WEIGHTSMITH_CORE_CODEC_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef WEIGHTSMITH_CORE_CODEC_INL_H_
#undef WEIGHTSMITH_CORE_CODEC_INL_H_
#else
#define WEIGHTSMITH_CORE_CODEC_INL_H_
#endif

// F16C converts f16 as we do: to nearest even, denormals kept, NaN made quiet.
#undef WEIGHTSMITH_HAS_F16C
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2 && !defined(HWY_DISABLE_F16C)
#define WEIGHTSMITH_HAS_F16C 1
#else
#define WEIGHTSMITH_HAS_F16C 0
#endif

HWY_BEFORE_NAMESPACE();
namespace weightsmith::internal {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

/// 2^exponent, for the normal numbers of T.
template <class T>
constexpr T PowerOfTwo(int exponent) {
  T power = 1;
  for (; exponent > 0; --exponent) power *= 2;
  for (; exponent < 0; ++exponent) power /= 2;
  return power;
}

/// `finite` formats have no infinity, and a single NaN: all ones.
template <int exponent_bits, int mantissa_bits, bool finite>
struct NarrowFormat {
  static constexpr int kExponentBits = exponent_bits;
  static constexpr int kMantissaBits = mantissa_bits;
  static constexpr bool kFinite = finite;
  static constexpr int kBits = 1 + kExponentBits + kMantissaBits;
  static constexpr int kBias = (1 << (kExponentBits - 1)) - 1;
  static constexpr std::int32_t kMagnitude = (1 << (kBits - 1)) - 1;
  static constexpr std::int32_t kInfinity = kMagnitude >> kMantissaBits << kMantissaBits;
  // PyTorch's NaN of an 8-bit format is all ones.
  static constexpr std::int32_t kNan =
      kBits == 8 ? kMagnitude : kInfinity | 1 << (kMantissaBits - 1);
  // From an f32's exponent to the format's.
  static constexpr std::int32_t kRebias = (127 - kBias) << 23;
  static constexpr int kSmallestExponent = 1 - kBias - kMantissaBits;
  using Code = std::conditional_t<kBits == 8, std::uint8_t, std::uint16_t>;
};

using F16 = NarrowFormat<5, 10, false>;
using BF16 = NarrowFormat<8, 7, false>;
using F8E4M3 = NarrowFormat<4, 3, true>;
using F8E5M2 = NarrowFormat<5, 2, false>;

template <class D>
HWY_INLINE hn::Vec<D> LoadBytes(D d, const std::byte* in) {
  using T = hn::TFromD<D>;
#if HWY_TARGET == HWY_SCALAR  // its LoadU wants alignment
  T value;
  std::memcpy(&value, in, sizeof(T));
  return hn::Set(d, value);
#else
  return hn::LoadU(d, reinterpret_cast<const T*>(in));
#endif
}

template <class D>
HWY_INLINE void StoreBytes(hn::Vec<D> lanes, [[maybe_unused]] D d, std::byte* out) {
  using T = hn::TFromD<D>;
#if HWY_TARGET == HWY_SCALAR
  const T value = hn::GetLane(lanes);
  std::memcpy(out, &value, sizeof(T));
#else
  hn::StoreU(lanes, d, reinterpret_cast<T*>(out));
#endif
}

/// The f32 lanes that Lanes(df) codes of format F stand for. A signalling f16 NaN becomes quiet.
template <class F, class D>
HWY_INLINE hn::Vec<D> DecodeNarrow(D df, const std::byte* in) {
#if WEIGHTSMITH_HAS_F16C
  if constexpr (std::is_same_v<F, F16>) {
    return hn::PromoteTo(df, LoadBytes(hn::Rebind<hwy::float16_t, D>(), in));
  }
#endif
  const hn::RebindToSigned<D> di;
  const auto code = hn::PromoteTo(di, LoadBytes(hn::Rebind<typename F::Code, D>(), in));
  if constexpr (F::kExponentBits == 8) {
    return hn::BitCast(df, hn::ShiftLeft<32 - F::kBits>(code));
  } else {
    const auto magnitude = hn::And(code, hn::Set(di, F::kMagnitude));
    const auto sign = hn::ShiftLeft<32 - F::kBits>(hn::Xor(code, magnitude));
    const auto rebias = hn::Set(di, F::kRebias);
    auto bits = hn::Add(hn::ShiftLeft<23 - F::kMantissaBits>(magnitude), rebias);
    if constexpr (F::kFinite) {
      const auto nan = hn::Eq(magnitude, hn::Set(di, F::kNan));
      bits = hn::IfThenElse(nan, hn::Set(di, 0x7fc00000), bits);
    } else {
      // Rebiased twice, the highest exponent becomes f32's highest.
      const auto special = hn::Gt(magnitude, hn::Set(di, F::kInfinity - 1));
      const auto nan = hn::Gt(magnitude, hn::Set(di, F::kInfinity));
      bits = hn::Add(bits, hn::IfThenElseZero(special, rebias));
      bits = hn::Or(bits, hn::IfThenElseZero(nan, hn::Set(di, 0x00400000)));
    }
    const auto smallest = hn::Set(df, PowerOfTwo<float>(F::kSmallestExponent));
    const auto subnormal = hn::Mul(hn::ConvertTo(df, magnitude), smallest);
    const auto is_subnormal = hn::Lt(magnitude, hn::Set(di, 1 << F::kMantissaBits));
    bits = hn::IfThenElse(is_subnormal, hn::BitCast(di, subnormal), bits);
    return hn::BitCast(df, hn::Or(bits, sign));
  }
}

template <class D>
HWY_INLINE hn::Vec<D> CanonicalNan(D d, hn::Vec<D> value) {
  using T = hn::TFromD<D>;
  const hn::RebindToUnsigned<D> du;
  const auto quiet = sizeof(T) == 4 ? 0x7fc00000 : 0x7ff8000000000000;
  const auto nan = hn::BitCast(d, hn::Set(du, static_cast<hn::TFromD<decltype(du)>>(quiet)));
  return hn::IfThenElse(hn::IsNaN(value), hn::CopySignToAbs(nan, value), value);
}

template <class F, class D>
using Codes = hn::Rebind<typename F::Code, D>;

/// Lanes(df) codes of format F, rounded to nearest even. Where no value is a NaN it may be told so.
template <class F, bool no_nan = false, class D>
HWY_INLINE hn::Vec<Codes<F, D>> ToCodes(D df, hn::Vec<D> value) {
  const Codes<F, D> dcode;
#if WEIGHTSMITH_HAS_F16C
  if constexpr (std::is_same_v<F, F16>) {
    const hn::Rebind<hwy::float16_t, D> df16;
    if constexpr (!no_nan) value = CanonicalNan(df, value);
    return hn::BitCast(dcode, hn::DemoteTo(df16, value));
  }
#endif
  const hn::RebindToSigned<D> di;
  const hn::RebindToUnsigned<D> du;
  constexpr int kShift = 23 - F::kMantissaBits;
  const auto nan = hn::RebindMask(du, hn::IsNaN(value));
  auto magnitude = hn::Abs(value);
  if constexpr (F::kExponentBits < 8) {
    // Above the largest finite number is one more code to round to: infinity, or the NaN of a
    // finite format. Whatever is larger still becomes that code too.
    constexpr std::int32_t kLast = F::kFinite ? F::kNan : F::kInfinity;
    const auto last = hn::Set(di, (kLast << kShift) + F::kRebias);
    magnitude = hn::Min(magnitude, hn::BitCast(df, last));
  }

  const auto bits = hn::BitCast(du, magnitude);
  const auto odd = hn::And(hn::ShiftRight<kShift>(bits), hn::Set(du, 1u));
  constexpr std::uint32_t kHalf = (1u << (kShift - 1)) - 1 - static_cast<std::uint32_t>(F::kRebias);
  auto code = hn::ShiftRight<kShift>(hn::Add(bits, hn::Add(odd, hn::Set(du, kHalf))));
  if constexpr (F::kExponentBits < 8) {
    // Added to a number whose last place is the smallest code, a subnormal is rounded by the
    // addition itself.
    const auto anchor = hn::Set(df, PowerOfTwo<float>(23 + F::kSmallestExponent));
    const auto sum = hn::BitCast(du, hn::Add(magnitude, anchor));
    const auto is_subnormal = hn::Lt(magnitude, hn::Set(df, PowerOfTwo<float>(1 - F::kBias)));
    code = hn::IfThenElse(hn::RebindMask(du, is_subnormal), hn::Sub(sum, hn::BitCast(du, anchor)),
                          code);
  }
  code = hn::IfThenElse(nan, hn::Set(du, static_cast<std::uint32_t>(F::kNan)), code);
  const auto sign = hn::And(hn::BitCast(du, value), hn::Set(du, 0x80000000u));
  code = hn::Or(code, hn::ShiftRight<32 - F::kBits>(sign));
  return hn::DemoteTo(dcode, hn::BitCast(di, code));
}

/// Stores them.
template <class F, class D>
HWY_INLINE void EncodeNarrow(D df, hn::Vec<D> value, std::byte* out) {
  StoreBytes(ToCodes<F>(df, value), Codes<F, D>(), out);
}

/// Rounds to nearest even.
template <class D, class V>
HWY_INLINE hn::Vec<D> ToFloat(D df, V value) {
#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128  // their DemoteTo never gives infinity
  const hn::Rebind<double, D> d;
  HWY_ALIGN double from[hn::MaxLanes(D())];
  HWY_ALIGN float to[hn::MaxLanes(D())];
  hn::Store(value, d, from);
  for (std::size_t i = 0; i < hn::Lanes(d); ++i) to[i] = static_cast<float>(from[i]);
  return hn::Load(df, to);
#else
  return hn::DemoteTo(df, value);
#endif
}

/// Brings an f64 to f32 so that rounding the result to 16 or 8 bits is the only rounding there is:
/// what f32 cannot hold is kept as an odd last bit, which no later tie can be taken for.
template <class D, class V>
HWY_INLINE hn::Vec<D> ToFloatForRounding(D df, V value) {
  const hn::Rebind<double, D> d;
  const hn::RebindToUnsigned<decltype(d)> du;
  const auto bits = hn::BitCast(du, value);
  const auto below = hn::And(bits, hn::Set(du, (std::uint64_t{1} << 29) - 1));
  const auto last = hn::Set(du, std::uint64_t{1} << 29);
  const auto sticky = hn::IfThenZeroElse(hn::Eq(below, hn::Zero(du)), last);
  auto odd = hn::BitCast(d, hn::Or(hn::Sub(bits, below), sticky));
  odd = hn::IfThenElse(hn::IsNaN(value), value, odd);
  // Where f32 has fewer bits only bf16 still has codes: multiples of 2^-133, rounded here.
  const auto anchor = hn::Set(d, PowerOfTwo<double>(52 - 133));
  const auto magnitude = hn::Abs(value);
  const auto rounded = hn::CopySign(hn::Sub(hn::Add(magnitude, anchor), anchor), value);
  const auto tiny = hn::Lt(magnitude, hn::Set(d, PowerOfTwo<double>(-126)));
  return ToFloat(df, hn::IfThenElse(tiny, rounded, odd));
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace weightsmith::internal
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
