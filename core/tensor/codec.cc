#include "core/tensor/codec.h"

#include <cassert>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/tensor/codec.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "core/tensor/codec-inl.h"

HWY_BEFORE_NAMESPACE();
namespace weightsmith::internal {
namespace HWY_NAMESPACE {
namespace {

// Runs `convert(in, out)`, which converts one vector of `lanes` elements, over n of them. The last
// ones take a detour through a vector's worth of memory, so that nothing outside is touched.
template <std::size_t in_size, std::size_t out_size, class Convert>
HWY_INLINE void ForEachVector(const std::byte* in, std::byte* out, std::size_t n, std::size_t lanes,
                              Convert convert) {
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) convert(in + i * in_size, out + i * out_size);
  if (i == n) return;
  HWY_ALIGN std::byte last_in[HWY_MAX_BYTES] = {};
  HWY_ALIGN std::byte last_out[HWY_MAX_BYTES];
  std::memcpy(last_in, in + i * in_size, (n - i) * in_size);
  convert(last_in, last_out);
  std::memcpy(out + i * out_size, last_out, (n - i) * out_size);
}

// T, float or double, is what is computed in; its vectors set the pace. F64 lanes are as many as
// those of a half vector of f32.
template <class T>
using Tag = hn::ScalableTag<T>;
template <class T>
using FloatTag = hn::Rebind<float, Tag<T>>;

template <class F, class T>
void DecodeAs(const std::byte* in, std::byte* out, std::size_t n) {
  const auto convert = [](const std::byte* from, std::byte* to) HWY_ATTR {
    const auto lanes = DecodeNarrow<F>(FloatTag<T>(), from);
    if constexpr (std::is_same_v<T, float>) {
      StoreBytes(lanes, Tag<T>(), to);
    } else {
      StoreBytes(hn::PromoteTo(Tag<T>(), lanes), Tag<T>(), to);
    }
  };
  ForEachVector<sizeof(typename F::Code), sizeof(T)>(in, out, n, hn::Lanes(Tag<T>()), convert);
}

template <class F, class T>
void EncodeAs(const std::byte* in, std::byte* out, std::size_t n) {
  const auto convert = [](const std::byte* from, std::byte* to) HWY_ATTR {
    const auto lanes = LoadBytes(Tag<T>(), from);
    if constexpr (std::is_same_v<T, float>) {
      EncodeNarrow<F>(FloatTag<T>(), lanes, to);
    } else {
      EncodeNarrow<F>(FloatTag<T>(), ToFloatForRounding(FloatTag<T>(), lanes), to);
    }
  };
  ForEachVector<sizeof(T), sizeof(typename F::Code)>(in, out, n, hn::Lanes(Tag<T>()), convert);
}

void Narrow(const std::byte* in, std::byte* out, std::size_t n, bool canonical) {
  const auto convert = [=](const std::byte* from, std::byte* to) HWY_ATTR {
    const FloatTag<double> df;
    const auto lanes = ToFloat(df, LoadBytes(Tag<double>(), from));
    StoreBytes(canonical ? CanonicalNan(df, lanes) : lanes, df, to);
  };
  ForEachVector<8, 4>(in, out, n, hn::Lanes(Tag<double>()), convert);
}

void Widen(const std::byte* in, std::byte* out, std::size_t n, bool canonical) {
  const auto convert = [=](const std::byte* from, std::byte* to) HWY_ATTR {
    const Tag<double> d;
    const auto lanes = hn::PromoteTo(d, LoadBytes(FloatTag<double>(), from));
    StoreBytes(canonical ? CanonicalNan(d, lanes) : lanes, d, to);
  };
  ForEachVector<4, 8>(in, out, n, hn::Lanes(Tag<double>()), convert);
}

template <class T>
void Canonicalize(const std::byte* in, std::byte* out, std::size_t n) {
  const auto convert = [](const std::byte* from, std::byte* to) HWY_ATTR {
    StoreBytes(CanonicalNan(Tag<T>(), LoadBytes(Tag<T>(), from)), Tag<T>(), to);
  };
  ForEachVector<sizeof(T), sizeof(T)>(in, out, n, hn::Lanes(Tag<T>()), convert);
}

template <class T>
void DecodeAny(DType dtype, const std::byte* in, std::byte* out, std::size_t n) {
  constexpr bool kDouble = std::is_same_v<T, double>;
  switch (dtype) {
    case DType::kF16:
      return DecodeAs<F16, T>(in, out, n);
    case DType::kBF16:
      return DecodeAs<BF16, T>(in, out, n);
    case DType::kF8E4M3:
      return DecodeAs<F8E4M3, T>(in, out, n);
    case DType::kF8E5M2:
      return DecodeAs<F8E5M2, T>(in, out, n);
    case DType::kF32:
      if (kDouble) return Widen(in, out, n, false);
      break;
    case DType::kF64:
      if (!kDouble) return Narrow(in, out, n, false);
      break;
    default:
      assert(false && "no codec");
      return;
  }
  if (n != 0) std::memcpy(out, in, n * sizeof(T));
}

template <class T>
void EncodeAny(DType dtype, const std::byte* in, std::byte* out, std::size_t n) {
  constexpr bool kDouble = std::is_same_v<T, double>;
  switch (dtype) {
    case DType::kF16:
      return EncodeAs<F16, T>(in, out, n);
    case DType::kBF16:
      return EncodeAs<BF16, T>(in, out, n);
    case DType::kF8E4M3:
      return EncodeAs<F8E4M3, T>(in, out, n);
    case DType::kF8E5M2:
      return EncodeAs<F8E5M2, T>(in, out, n);
    case DType::kF32:
      return kDouble ? Narrow(in, out, n, true) : Canonicalize<T>(in, out, n);
    case DType::kF64:
      return kDouble ? Canonicalize<T>(in, out, n) : Widen(in, out, n, true);
    default:
      assert(false && "no codec");
  }
}

void DecodeToFloat(DType dtype, const std::byte* in, std::byte* out, std::size_t n) {
  DecodeAny<float>(dtype, in, out, n);
}
void DecodeToDouble(DType dtype, const std::byte* in, std::byte* out, std::size_t n) {
  DecodeAny<double>(dtype, in, out, n);
}
void EncodeFloat(DType dtype, const std::byte* in, std::byte* out, std::size_t n) {
  EncodeAny<float>(dtype, in, out, n);
}
void EncodeDouble(DType dtype, const std::byte* in, std::byte* out, std::size_t n) {
  EncodeAny<double>(dtype, in, out, n);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace weightsmith::internal
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weightsmith::internal {
namespace {

HWY_EXPORT(DecodeToFloat);
HWY_EXPORT(DecodeToDouble);
HWY_EXPORT(EncodeFloat);
HWY_EXPORT(EncodeDouble);

template <class T>
void UnifyAll(std::span<T> values) {
  for (T& value : values) {
    if (std::isnan(value)) value = std::numeric_limits<T>::quiet_NaN();
  }
}

[[maybe_unused]] bool Fits(DType dtype, std::span<const std::byte> bytes, std::size_t elements) {
  return Info(dtype).has_codec && bytes.size() == elements * (Info(dtype).bits / 8);
}

}  // namespace

void Decode(DType dtype, std::span<const std::byte> bytes, std::span<float> out) {
  assert(Fits(dtype, bytes, out.size()));
  HWY_DYNAMIC_DISPATCH(DecodeToFloat)
  (dtype, bytes.data(), std::as_writable_bytes(out).data(), out.size());
}

void Decode(DType dtype, std::span<const std::byte> bytes, std::span<double> out) {
  assert(Fits(dtype, bytes, out.size()));
  HWY_DYNAMIC_DISPATCH(DecodeToDouble)
  (dtype, bytes.data(), std::as_writable_bytes(out).data(), out.size());
}

void Encode(DType dtype, std::span<const float> values, std::span<std::byte> out) {
  assert(Fits(dtype, out, values.size()));
  HWY_DYNAMIC_DISPATCH(EncodeFloat)
  (dtype, std::as_bytes(values).data(), out.data(), values.size());
}

void Encode(DType dtype, std::span<const double> values, std::span<std::byte> out) {
  assert(Fits(dtype, out, values.size()));
  HWY_DYNAMIC_DISPATCH(EncodeDouble)
  (dtype, std::as_bytes(values).data(), out.data(), values.size());
}

void UnifyNans(std::span<float> values) {
  UnifyAll(values);
}

void UnifyNans(std::span<double> values) {
  UnifyAll(values);
}

double LargestFinite(DType dtype) {
  switch (dtype) {
    case DType::kF16:
      return 65504;
    case DType::kBF16:
      return 0x1.fep127;
    case DType::kF8E4M3:
      return 448;
    case DType::kF8E5M2:
      return 57344;
    case DType::kF32:
      return 0x1.fffffep127;
    default:
      return 0x1.fffffffffffffp1023;
  }
}

}  // namespace weightsmith::internal
#endif
