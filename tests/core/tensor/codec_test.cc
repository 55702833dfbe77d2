#include "core/tensor/codec.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "core/base/simd.h"

namespace weightsmith::internal {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

// A format by its numbers, and what its codes mean, worked out in plain arithmetic.
struct Format {
  DType dtype;
  int exponent_bits;
  int mantissa_bits;
  std::uint32_t largest;  // code of the largest finite number
  std::uint32_t nan;      // canonical

  std::uint32_t sign() const { return 1u << (exponent_bits + mantissa_bits); }
  std::uint32_t codes() const { return sign() * 2; }
  std::size_t size() const { return codes() == 256 ? 1 : 2; }

  bool IsNan(std::uint32_t code) const {
    const std::uint32_t magnitude = code & (sign() - 1);
    return dtype == DType::kF8E4M3 ? magnitude == nan : magnitude > largest + 1;
  }

  // The number that a finite code stands for, and for `largest` + 1 the one that would come next.
  double Value(std::uint32_t code) const {
    const std::uint32_t magnitude = code & (sign() - 1);
    const int exponent = static_cast<int>(magnitude >> mantissa_bits);
    const double mantissa = magnitude & ((1u << mantissa_bits) - 1);
    const int bias = (1 << (exponent_bits - 1)) - 1;
    const double value = exponent == 0 ? std::ldexp(mantissa, 1 - bias - mantissa_bits)
                                       : std::ldexp(mantissa + (1 << mantissa_bits),
                                                    exponent - bias - mantissa_bits);
    return code & sign() ? -value : value;
  }
};

constexpr Format kF16 = {DType::kF16, 5, 10, 0x7bff, 0x7e00};
constexpr Format kBF16 = {DType::kBF16, 8, 7, 0x7f7f, 0x7fc0};
constexpr Format kF8E4M3 = {DType::kF8E4M3, 4, 3, 0x7e, 0x7f};
constexpr Format kF8E5M2 = {DType::kF8E5M2, 5, 2, 0x7b, 0x7f};
constexpr Format kFormats[] = {kF16, kBF16, kF8E4M3, kF8E5M2};

std::string_view Name(const Format& format) {
  return Info(format.dtype).name;
}

std::vector<std::byte> ToBytes(const Format& format, const std::vector<std::uint32_t>& codes) {
  std::vector<std::byte> bytes(codes.size() * format.size());
  for (std::size_t i = 0; i < codes.size(); ++i) {
    std::memcpy(&bytes[i * format.size()], &codes[i], format.size());
  }
  return bytes;
}

template <class T>
std::vector<std::uint32_t> EncodeAll(const Format& format, const std::vector<T>& values) {
  std::vector<std::byte> bytes(values.size() * format.size());
  Encode(format.dtype, std::span(values), bytes);
  std::vector<std::uint32_t> codes(values.size());
  for (std::size_t i = 0; i < codes.size(); ++i) {
    std::memcpy(&codes[i], &bytes[i * format.size()], format.size());
  }
  return codes;
}

// The result of one value, from the middle of a vector.
template <class T>
std::uint32_t EncodeOne(const Format& format, T value) {
  return EncodeAll(format, std::vector<T>(33, value))[7];
}

template <class T>
std::uint64_t Bits(T value) {
  if constexpr (sizeof(T) == 4) return std::bit_cast<std::uint32_t>(value);
  if constexpr (sizeof(T) == 8) return std::bit_cast<std::uint64_t>(value);
}

template <class T>
std::vector<T> RandomPatterns(std::size_t n) {
  std::mt19937_64 random(20240607);
  std::vector<T> values(n);
  for (T& value : values) {
    const std::uint64_t bits = random();
    std::memcpy(&value, &bits, sizeof(T));
  }
  return values;
}

class Codec : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { ForceSimdTarget(GetParam()); }
  void TearDown() override { ForceSimdTarget(""); }
};
INSTANTIATE_TEST_SUITE_P(On, Codec, testing::ValuesIn(SimdTargets()),
                         [](const auto& target) { return target.param; });

template <class T>
void ExpectEveryCodeDecodes(const Format& format) {
  std::vector<std::uint32_t> codes(format.codes());
  for (std::uint32_t code = 0; code < codes.size(); ++code) codes[code] = code;
  std::vector<T> values(codes.size());
  Decode(format.dtype, ToBytes(format, codes), std::span(values));
  for (const std::uint32_t code : codes) {
    if (format.IsNan(code)) {
      ASSERT_TRUE(std::isnan(values[code])) << Name(format) << " " << code;
      continue;
    }
    double expected = format.Value(code);
    if ((code & (format.sign() - 1)) > format.largest) expected = std::copysign(kInf, expected);
    ASSERT_EQ(Bits(values[code]), Bits(static_cast<T>(expected))) << Name(format) << " " << code;
  }
}

TEST_P(Codec, DecodesEveryCode) {
  for (const Format& format : kFormats) {
    ExpectEveryCodeDecodes<float>(format);
    ExpectEveryCodeDecodes<double>(format);
  }
}

// Every number of the format, every halfway point between neighbours, and the next number of type
// T on either side of each.
template <class T>
void ExpectRoundsToNearestEven(const Format& format) {
  constexpr T kUp = std::numeric_limits<T>::infinity();
  std::vector<T> values;
  std::vector<std::uint32_t> expected;
  const auto expect = [&](T value, std::uint32_t code) {
    values.push_back(value);
    expected.push_back(code);
    values.push_back(-value);
    expected.push_back(code | format.sign());
  };
  for (std::uint32_t code = 0; code <= format.largest; ++code) {
    const double here = format.Value(code), next = format.Value(code + 1);
    const T halfway = static_cast<T>((here + next) / 2);
    ASSERT_EQ(halfway, (here + next) / 2);
    expect(static_cast<T>(here), code);
    expect(std::nextafter(static_cast<T>(here), kUp), code);
    expect(std::nextafter(halfway, T{0}), code);
    expect(halfway, code % 2 == 0 ? code : code + 1);
    expect(std::nextafter(halfway, kUp), code + 1);
    if (static_cast<T>(next) < kUp) expect(std::nextafter(static_cast<T>(next), T{0}), code + 1);
  }
  const std::vector<std::uint32_t> codes = EncodeAll(format, values);
  for (std::size_t i = 0; i < values.size(); ++i) {
    ASSERT_EQ(codes[i], expected[i]) << Name(format) << " " << values[i];
  }
}

TEST_P(Codec, RoundsToNearestEven) {
  for (const Format& format : kFormats) {
    ExpectRoundsToNearestEven<float>(format);
    ExpectRoundsToNearestEven<double>(format);
  }
}

TEST_P(Codec, AgreesWithPublishedResultsOfPyTorch) {
  EXPECT_EQ(EncodeOne(kF16, 65504.0f), 0x7bffu);
  EXPECT_EQ(EncodeOne(kF16, 65519.996f), 0x7bffu);
  EXPECT_EQ(EncodeOne(kF16, 65520.0f), 0x7c00u);
  EXPECT_EQ(EncodeOne(kF16, 0x1p-25f), 0x0000u);
  EXPECT_EQ(EncodeOne(kF16, 0x1.000002p-25f), 0x0001u);
  EXPECT_EQ(EncodeOne(kF16, 0x1p-24f), 0x0001u);
  EXPECT_EQ(EncodeOne(kBF16, std::bit_cast<float>(0x3f808000)), 0x3f80u);
  EXPECT_EQ(EncodeOne(kBF16, std::bit_cast<float>(0x3f818000)), 0x3f82u);
  EXPECT_EQ(EncodeOne(kBF16, std::bit_cast<float>(0x3f808001)), 0x3f81u);
  EXPECT_EQ(EncodeOne(kBF16, std::bit_cast<float>(0x7f7f7fff)), 0x7f7fu);
  EXPECT_EQ(EncodeOne(kBF16, std::bit_cast<float>(0x7f7fffff)), 0x7f80u);
  EXPECT_EQ(EncodeOne(kF8E4M3, 464.0f), 0x7eu);
  EXPECT_EQ(EncodeOne(kF8E4M3, std::nextafter(464.0f, kInf)), 0x7fu);
  EXPECT_EQ(EncodeOne(kF8E4M3, 480.0f), 0x7fu);
  EXPECT_EQ(EncodeOne(kF8E4M3, -kInf), 0xffu);
  EXPECT_EQ(EncodeOne(kF8E4M3, 0x1p-10f), 0x00u);
  EXPECT_EQ(EncodeOne(kF8E4M3, 3 * 0x1p-10f), 0x02u);
  EXPECT_EQ(EncodeOne(kF8E4M3, 7.5f * 0x1p-9f), 0x08u);
  EXPECT_EQ(EncodeOne(kF8E4M3, -0.0f), 0x80u);
  EXPECT_EQ(EncodeOne(kF8E4M3, 1.0625f), 0x38u);
  EXPECT_EQ(EncodeOne(kF8E4M3, 1.1875f), 0x3au);
  EXPECT_EQ(EncodeOne(kF8E5M2, 61439.996f), 0x7bu);
  EXPECT_EQ(EncodeOne(kF8E5M2, 61440.0f), 0x7cu);
  EXPECT_EQ(EncodeOne(kF8E5M2, 0x1p-17f), 0x00u);
  EXPECT_EQ(EncodeOne(kF8E5M2, 1.125f), 0x3cu);
  EXPECT_EQ(EncodeOne(kF8E5M2, 1.375f), 0x3eu);
}

TEST_P(Codec, OverflowIsInfinityOrTheNanOfAFiniteFormat) {
  for (const Format& format : kFormats) {
    for (const double value : {0x1p127, 0x1p128, 1e300, std::numeric_limits<double>::max(),
                               std::numeric_limits<double>::infinity()}) {
      if (format.dtype == DType::kBF16 && value == 0x1p127) continue;
      EXPECT_EQ(EncodeOne(format, value), format.largest + 1) << Name(format) << value;
      EXPECT_EQ(EncodeOne(format, -value), (format.largest + 1) | format.sign());
      EXPECT_EQ(EncodeOne(format, static_cast<float>(value)), format.largest + 1);
    }
  }
}

TEST_P(Codec, NanIsStoredQuietAndKeepsItsSign) {
  const std::uint32_t payloads[] = {0x7fc00000, 0x7f800001, 0x7fffffff, 0x7fa5a5a5};
  for (const std::uint32_t payload : payloads) {
    const float nan = std::bit_cast<float>(payload);
    const float negative = std::bit_cast<float>(payload | 0x80000000);
    for (const Format& format : kFormats) {
      EXPECT_EQ(EncodeOne(format, nan), format.nan) << Name(format) << payload;
      EXPECT_EQ(EncodeOne(format, negative), format.nan | format.sign());
      EXPECT_EQ(EncodeOne(format, static_cast<double>(nan)), format.nan);
      EXPECT_EQ(EncodeOne(format, static_cast<double>(negative)), format.nan | format.sign());
    }
    const double wide = std::bit_cast<double>(0x7ff0000000000000 | payload);
    std::uint32_t f32 = 0;
    std::uint64_t f64 = 0;
    Encode(DType::kF32, std::span(&negative, 1), std::as_writable_bytes(std::span(&f32, 1)));
    EXPECT_EQ(f32, 0xffc00000u);
    Encode(DType::kF32, std::span(&wide, 1), std::as_writable_bytes(std::span(&f32, 1)));
    EXPECT_EQ(f32, 0x7fc00000u);
    Encode(DType::kF64, std::span(&negative, 1), std::as_writable_bytes(std::span(&f64, 1)));
    EXPECT_EQ(f64, 0xfff8000000000000u);
    Encode(DType::kF64, std::span(&wide, 1), std::as_writable_bytes(std::span(&f64, 1)));
    EXPECT_EQ(f64, 0x7ff8000000000000u);
  }
}

TEST_P(Codec, DoublesRoundOnce) {
  // By way of f32 each of these would first become a tie, then go to the even side.
  EXPECT_EQ(EncodeOne(kF16, 1 + 0x1p-11 + 0x1p-40), 0x3c01u);
  EXPECT_EQ(EncodeOne(kF16, 1 + 3 * 0x1p-11 - 0x1p-40), 0x3c01u);
  EXPECT_EQ(EncodeOne(kBF16, 1 + 0x1p-8 + 0x1p-40), 0x3f81u);
  EXPECT_EQ(EncodeOne(kBF16, 0x1p-134 + 0x1p-170), 0x0001u);
  EXPECT_EQ(EncodeOne(kBF16, 3 * 0x1p-134 - 0x1p-170), 0x0001u);
  EXPECT_EQ(EncodeOne(kF8E4M3, 1.0625 + 0x1p-40), 0x39u);
  EXPECT_EQ(EncodeOne(kF8E5M2, 0x1p-17 + 0x1p-60), 0x01u);
}

TEST_P(Codec, F64ToF32RoundsToNearestEven) {
  std::vector<double> values;
  std::vector<float> expected;
  for (std::uint32_t bits : {0x00000000u, 0x00000001u, 0x007fffffu, 0x00800000u, 0x3f800000u,
                             0x3f800001u, 0x7f7ffffeu, 0x7f7fffffu}) {
    const double here = std::bit_cast<float>(bits);
    const double next = bits == 0x7f7fffff ? 0x1p128 : std::bit_cast<float>(bits + 1);
    const double halfway = (here + next) / 2;
    values.insert(values.end(), {here, std::nextafter(halfway, 0), halfway,
                                 std::nextafter(halfway, kInf), -halfway});
    const float even = std::bit_cast<float>(bits + bits % 2);
    const float above = std::bit_cast<float>(bits + 1);
    const float below = std::bit_cast<float>(bits);
    expected.insert(expected.end(), {below, below, even, above, -even});
  }
  values.insert(values.end(), {1e300, -1e300, double{kInf}, -double{kInf}});
  expected.insert(expected.end(), {kInf, -kInf, kInf, -kInf});
  std::vector<float> decoded(values.size()), encoded(values.size());
  Decode(DType::kF64, std::as_bytes(std::span(values)), std::span(decoded));
  Encode(DType::kF32, std::span<const double>(values), std::as_writable_bytes(std::span(encoded)));
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(Bits(decoded[i]), Bits(expected[i])) << values[i];
    EXPECT_EQ(Bits(encoded[i]), Bits(expected[i])) << values[i];
  }
}

TEST_P(Codec, F32AndF64PassThroughUnchanged) {
  std::vector<float> floats = RandomPatterns<float>(1003);
  std::erase_if(floats, [](float value) { return std::isnan(value); });
  std::vector<double> widened(floats.size());
  Decode(DType::kF32, std::as_bytes(std::span(floats)), std::span(widened));
  std::vector<float> decoded(floats.size()), encoded(floats.size());
  std::vector<double> back(floats.size());
  Decode(DType::kF32, std::as_bytes(std::span(floats)), std::span(decoded));
  Encode(DType::kF32, std::span<const float>(floats), std::as_writable_bytes(std::span(encoded)));
  Encode(DType::kF64, std::span<const float>(floats), std::as_writable_bytes(std::span(back)));
  for (std::size_t i = 0; i < floats.size(); ++i) {
    EXPECT_EQ(Bits(widened[i]), Bits(static_cast<double>(floats[i])));
    EXPECT_EQ(Bits(back[i]), Bits(static_cast<double>(floats[i])));
    EXPECT_EQ(Bits(decoded[i]), Bits(floats[i]));
    EXPECT_EQ(Bits(encoded[i]), Bits(floats[i]));
  }
}

// The bytes lie at odd addresses in blocks of exactly their size, so that a sanitizer sees a read
// or a write outside.
template <class T>
void ExpectAnyLengthAndAlignment(DType dtype) {
  const std::size_t size = Info(dtype).bits / 8;
  std::vector<T> all(67);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<T>(i) / 4 - 3;
  std::vector<std::byte> all_bytes(all.size() * size);
  for (std::size_t i = 0; i < all.size(); ++i) {
    Encode(dtype, std::span<const T>(all).subspan(i, 1),
           std::span(all_bytes).subspan(i * size, size));
  }
  for (std::size_t n = 0; n <= all.size(); ++n) {
    for (std::size_t offset = 0; offset < 4; ++offset) {
      std::vector<std::byte> bytes(offset + n * size, std::byte{0xa5});
      const std::span codes = std::span(bytes).subspan(offset);
      const std::vector<T> values(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(n));
      Encode(dtype, std::span(values), codes);
      EXPECT_TRUE(std::equal(codes.begin(), codes.end(), all_bytes.begin()));
      for (std::size_t i = 0; i < offset; ++i) EXPECT_EQ(bytes[i], std::byte{0xa5});
      std::vector<T> decoded(n), expected(n);
      Decode(dtype, codes, std::span(decoded));
      for (std::size_t i = 0; i < n; ++i) {
        Decode(dtype, codes.subspan(i * size, size), std::span(expected).subspan(i, 1));
      }
      EXPECT_EQ(decoded, expected);
    }
  }
}

TEST_P(Codec, TakesAnyLengthAtAnyAlignment) {
  for (const DTypeInfo& info : DTypes()) {
    if (!info.has_codec) continue;
    ExpectAnyLengthAndAlignment<float>(info.dtype);
    ExpectAnyLengthAndAlignment<double>(info.dtype);
  }
}

// Bytes of everything there is to convert, NaN payloads included.
template <class T>
std::vector<std::byte> AllResults(DType dtype) {
  const std::size_t size = Info(dtype).bits / 8;
  constexpr std::size_t kCount = 1 << 16;
  const std::vector<std::uint64_t> patterns = RandomPatterns<std::uint64_t>(kCount);
  const std::span input = std::as_bytes(std::span(patterns)).first(kCount * size);
  std::vector<T> decoded(kCount);
  Decode(dtype, input, std::span(decoded));
  const std::span decoded_bytes = std::as_bytes(std::span(decoded));
  std::vector<std::byte> results(decoded_bytes.begin(), decoded_bytes.end());
  results.resize(results.size() + 2 * kCount * size);
  const std::span encoded = std::span(results).subspan(kCount * sizeof(T));
  Encode(dtype, std::span<const T>(RandomPatterns<T>(kCount)), encoded.first(kCount * size));
  // Numbers of the size of weights, which bit patterns seldom are.
  std::mt19937_64 random(7);
  std::normal_distribution<double> normal(0, 0.03);
  std::vector<T> weights(kCount);
  for (T& weight : weights) weight = static_cast<T>(normal(random));
  Encode(dtype, std::span<const T>(weights), encoded.last(kCount * size));
  return results;
}

TEST_P(Codec, BitsDoNotDependOnTheInstructionSet) {
  for (const DTypeInfo& info : DTypes()) {
    if (!info.has_codec) continue;
    ForceSimdTarget(SimdTargets().back());
    const std::vector<std::byte> floats = AllResults<float>(info.dtype);
    const std::vector<std::byte> doubles = AllResults<double>(info.dtype);
    ForceSimdTarget(GetParam());
    EXPECT_TRUE(AllResults<float>(info.dtype) == floats) << info.name;
    EXPECT_TRUE(AllResults<double>(info.dtype) == doubles) << info.name;
  }
}

TEST(LargestFinite, IsTheNumberOfTheLastFiniteCode) {
  for (const Format& format : kFormats) {
    EXPECT_EQ(LargestFinite(format.dtype), format.Value(format.largest));
  }
  EXPECT_EQ(LargestFinite(DType::kF32), std::numeric_limits<float>::max());
  EXPECT_EQ(LargestFinite(DType::kF64), std::numeric_limits<double>::max());
}

}  // namespace
}  // namespace weightsmith::internal
