#include "core/synth/synth_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <string>

namespace weightsmith::internal {
namespace {

using testing::ElementsAre;

std::vector<std::byte> Filled(const SynthValues& values, std::string_view name, const Shape& shape,
                              std::uint64_t first, std::size_t bytes) {
  std::vector<std::byte> out(bytes);
  values.Fill(name, shape, first, out);
  return out;
}

template <class Code>
Code CodeAt(std::span<const std::byte> bytes, std::size_t index) {
  Code code;
  std::memcpy(&code, &bytes[index * sizeof(Code)], sizeof(Code));
  return code;
}

// Python: statistics.NormalDist().inv_cdf((i + 0.5) / 65536), rounded to f32.
TEST(NormalQuantiles, AreThoseOfTheNormalDistribution) {
  const std::span<const float> quantiles = NormalQuantiles();
  ASSERT_EQ(quantiles.size(), 65536u);
  EXPECT_EQ(std::bit_cast<std::uint32_t>(quantiles[0]), 0xc08a65bdu);
  EXPECT_EQ(std::bit_cast<std::uint32_t>(quantiles[1]), 0xc0827049u);
  EXPECT_EQ(std::bit_cast<std::uint32_t>(quantiles[100]), 0xc03d800bu);
  EXPECT_FLOAT_EQ(quantiles[32767], -1.912405605253298e-05f);
  EXPECT_FLOAT_EQ(quantiles[32768], 1.912405605253298e-05f);
  EXPECT_EQ(std::bit_cast<std::uint32_t>(quantiles[40000]), 0x3e8f7da1u);
  EXPECT_EQ(std::bit_cast<std::uint32_t>(quantiles[65000]), 0x4019acfbu);
  EXPECT_EQ(std::bit_cast<std::uint32_t>(quantiles[65535]), 0x408a65bdu);
}

// The expected codes come from a Python program of the same definition, with numpy's rounding.
TEST(SynthValues, AreAFunctionOfSeedNameAndIndex) {
  const SynthValues values(DType::kF16, 1, std::nullopt);
  const auto bytes =
      Filled(values, "model.diffusion_model.input_blocks.0.0.weight", {320, 4, 3, 3}, 0, 2 * 1001);
  const auto code = [&](std::size_t index) { return CodeAt<std::uint16_t>(bytes, index); };
  EXPECT_EQ(code(0), 0xa7a0);
  EXPECT_EQ(code(1), 0x0db8);
  EXPECT_EQ(code(2), 0x2b3d);
  EXPECT_EQ(code(3), 0xad7e);
  EXPECT_EQ(code(4), 0xadbb);
  EXPECT_EQ(code(5), 0x0513);
  EXPECT_EQ(code(287), 0xa5c4);
  EXPECT_EQ(code(1000), 0x9deb);
}

TEST(SynthValues, NormsLieAroundOne) {
  const SynthValues values(DType::kF16, 7, std::nullopt);
  const auto bytes = Filled(values, "model.diffusion_model.out.0.weight", {320}, 0, 16);
  std::vector<std::uint16_t> codes;
  for (std::size_t i = 0; i < 8; ++i) codes.push_back(CodeAt<std::uint16_t>(bytes, i));
  EXPECT_THAT(codes, ElementsAre(0x3bde, 0x3c15, 0x3bfe, 0x3c00, 0x3c07, 0x3c22, 0x3b6a, 0x3bc9));
}

TEST(SynthValues, AFinetuneIsNearItsBase) {
  const SynthValues values(DType::kF32, 2, 1);
  const auto bytes = Filled(values, "x.bias", {6}, 0, 24);
  std::vector<std::uint32_t> codes;
  for (std::size_t i = 0; i < 6; ++i) codes.push_back(CodeAt<std::uint32_t>(bytes, i));
  EXPECT_THAT(codes,
              ElementsAre(0xbbcb8adb, 0x3bcce68e, 0x3c02a7b9, 0xbb26c9e3, 0xbbdbbcb9, 0xbbe7d1cd));
}

TEST(SynthValues, DoNotDependOnHowATensorIsCut) {
  for (const DType dtype : {DType::kF8E4M3, DType::kF16, DType::kF32, DType::kF64}) {
    const std::size_t width = Info(dtype).bits / 8;
    for (const std::optional<std::uint64_t> base : {std::optional<std::uint64_t>(), {3}}) {
      const SynthValues values(dtype, 1, base);
      const auto whole = Filled(values, "m.weight", {50, 60}, 0, 3000 * width);
      std::vector<std::byte> parts;
      std::uint64_t first = 0;
      for (const std::size_t size : {1u, 2u, 5u, 1029u, 0u, 1963u}) {
        const auto part = Filled(values, "m.weight", {50, 60}, first, size * width);
        parts.insert(parts.end(), part.begin(), part.end());
        first += size;
      }
      EXPECT_EQ(parts, whole) << Info(dtype).name << ' ' << base.has_value();
    }
  }
}

}  // namespace
}  // namespace weightsmith::internal
