#include "merge/program/random.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "core/base/simd.h"
#include "merge/program/lowering.h"
#include "tests/merge/tape_harness.h"

namespace weightsmith::internal {
namespace {

using ::testing::ElementsAre;

constexpr RandomStream kStream{0x0123456789abcdefu, 0xfedcba9876543210u};

/// The word of an element, as random.h says.
std::uint32_t Word(const RandomStream& stream, std::uint64_t element) {
  const auto half = [](std::uint64_t number, int upper) {
    return static_cast<std::uint32_t>(number >> (32 * upper));
  };
  const std::uint64_t block = element / 4;
  return Philox({half(block, 0), half(block, 1), half(stream.place, 0), half(stream.place, 1)},
                {half(stream.seed, 0), half(stream.seed, 1)})[element % 4];
}

template <class T>
std::vector<T> Draw(OpCode code, std::uint64_t first, std::size_t n,
                    const RandomStream& stream = kStream) {
  RegisterFile<T> registers(1);
  const Instruction instruction{.code = code, .out = 0, .stream = stream};
  RunTape({.registers = 1, .instructions = {instruction}}, registers.all(), n, first);
  return {registers[0].begin(), registers[0].begin() + static_cast<std::ptrdiff_t>(n)};
}

/// p of a quantile.
double Probability(double quantile) {
  return std::erfc(-quantile / std::sqrt(2.0)) / 2;
}

// The vectors that Random123 publishes for philox4x32-10.
TEST(Philox, GivesThePublishedNumbers) {
  EXPECT_THAT(Philox({0, 0, 0, 0}, {0, 0}),
              ElementsAre(0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u));
  constexpr std::uint32_t kMost = std::numeric_limits<std::uint32_t>::max();
  EXPECT_THAT(Philox({kMost, kMost, kMost, kMost}, {kMost, kMost}),
              ElementsAre(0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu));
  EXPECT_THAT(
      Philox({0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u}, {0xa4093822u, 0x299f31d0u}),
      ElementsAre(0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u));
}

TEST(RandomStream, IsOfSeedOperatorOperandAndTensor) {
  const RandomStream stream = StreamOf(7, "dare_linear", 1, "w");
  EXPECT_EQ(stream, StreamOf(7, "dare_linear", 1, "w"));
  EXPECT_EQ(stream.seed, 7u);
  EXPECT_EQ(StreamOf(8, "dare_linear", 1, "w").place, stream.place);
  EXPECT_NE(StreamOf(7, "dare_ties", 1, "w").place, stream.place);
  EXPECT_NE(StreamOf(7, "dare_linear", 2, "w").place, stream.place);
  EXPECT_NE(StreamOf(7, "dare_linear", 1, "x").place, stream.place);
  // FNV-1a of nothing but the separators is known.
  EXPECT_EQ(StreamOf(0, "", 0, "").place, 0x302246189d4d5f27u);
}

TEST(NormalTail, IsTheInverseOfTheDistribution) {
  for (const double p : {0x1p-33, 1e-9, 1e-6, 1e-3, 0.01, 0.0749}) {
    SCOPED_TRACE(p);
    EXPECT_NEAR(Probability(NormalTail(p)) / p, 1, 1e-13);
    EXPECT_EQ(NormalTail(1 - p), -NormalTail(1 - (1 - p)));
  }
}

/// Runs a test on every instruction set of this CPU, named in failures.
class RandomOnEveryTarget : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { ForceSimdTarget(GetParam()); }
  void TearDown() override { ForceSimdTarget(""); }
};

INSTANTIATE_TEST_SUITE_P(Simd, RandomOnEveryTarget, ::testing::ValuesIn(SimdTargets()),
                         [](const auto& test) { return test.param; });

TEST_P(RandomOnEveryTarget, DrawsTheWordOfEachElement) {
  for (const std::uint64_t first : {0u, 1u, 2u, 3u, 1024u, 4000000001u}) {
    for (const std::uint64_t beyond : {std::uint64_t{0}, std::uint64_t{1} << 34}) {
      for (const std::size_t n : {1u, 5u, 63u, 1023u, 1024u}) {
        const std::vector<float> single = Draw<float>(OpCode::kUniform, first + beyond, n);
        const std::vector<double> wide = Draw<double>(OpCode::kUniform, first + beyond, n);
        for (std::size_t i = 0; i < n; ++i) {
          const double expected = (Word(kStream, first + beyond + i) >> 8) * 0x1p-24;
          ASSERT_EQ(single[i], static_cast<float>(expected)) << first << " + " << i;
          ASSERT_EQ(wide[i], expected) << first << " + " << i;
        }
      }
    }
  }
}

TEST_P(RandomOnEveryTarget, DrawsNormalQuantiles) {
  for (const std::uint64_t first : {0u, 3u, 4096u}) {
    const std::vector<double> normal = Draw<double>(OpCode::kNormal, first, kTile);
    for (std::size_t i = 0; i < kTile; ++i) {
      const double p = (Word(kStream, first + i) + 0.5) * 0x1p-32;
      ASSERT_NEAR(Probability(normal[i]), p, 1e-14) << i;
      if (std::abs(p - 0.5) > kNormalCentre) {
        ASSERT_EQ(normal[i], NormalTail(p)) << i;
      }
    }
  }
}

TEST_P(RandomOnEveryTarget, HasTheBitsOfAllOthers) {
  const std::vector<double> here = Draw<double>(OpCode::kNormal, 1, kTile);
  const std::vector<float> single = Draw<float>(OpCode::kNormal, 1, kTile);
  for (std::size_t i = 0; i < kTile; ++i) {
    ASSERT_EQ(single[i], static_cast<float>(here[i]));
  }
  ForceSimdTarget(SimdTargets().back());
  EXPECT_EQ(here, Draw<double>(OpCode::kNormal, 1, kTile));
}

TEST_P(RandomOnEveryTarget, DoesNotDependOnTiles) {
  for (const OpCode code : {OpCode::kUniform, OpCode::kNormal}) {
    const std::vector<float> whole = Draw<float>(code, 0, kTile);
    for (const std::size_t from : {1u, 6u, 515u}) {
      const std::vector<float> rest = Draw<float>(code, from, kTile - from);
      EXPECT_TRUE(
          std::equal(rest.begin(), rest.end(), whole.begin() + static_cast<std::ptrdiff_t>(from)));
    }
  }
}

TEST(RandomNumbers, HaveTheMomentsOfTheirDistribution) {
  constexpr std::size_t kTiles = 256;
  double sum = 0;
  double squares = 0;
  double shares = 0;
  for (std::size_t t = 0; t < kTiles; ++t) {
    for (const double x : Draw<double>(OpCode::kNormal, t * kTile, kTile)) {
      sum += x;
      squares += x * x;
    }
    for (const float u : Draw<float>(OpCode::kUniform, t * kTile, kTile)) shares += u < 0.3f;
  }
  constexpr double kElements = kTiles * kTile;
  EXPECT_NEAR(sum / kElements, 0, 0.01);
  EXPECT_NEAR(squares / kElements, 1, 0.015);
  EXPECT_NEAR(shares / kElements, 0.3, 0.005);
}

TEST(Lowering, DrawsForItsTensor) {
  const auto stream = [](const std::string& tensor, std::size_t operand) {
    Lowering tape(Precision::kF32, 1, tensor);
    const Value drawn = tape.Uniform(3, "dropout", operand);
    EXPECT_EQ(drawn, tape.Uniform(3, "dropout", operand));
    EXPECT_NE(drawn, tape.Uniform(4, "dropout", operand));
    EXPECT_NE(drawn, tape.Normal(3, "dropout", operand));
    return std::move(tape).Finish(std::array{drawn}).tape.instructions.front().stream;
  };
  EXPECT_EQ(stream("w", 0), StreamOf(3, "dropout", 0, "w"));
  EXPECT_EQ(stream("x", 2), StreamOf(3, "dropout", 2, "x"));
}

}  // namespace
}  // namespace weightsmith::internal
