#include "merge/program/tape.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <string>

#include "core/base/simd.h"
#include "tests/merge/tape_harness.h"

namespace weightsmith::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

constexpr std::array kAllCodes{
    OpCode::kConstant,  OpCode::kScale,         OpCode::kDivide,          OpCode::kAdd,
    OpCode::kSubtract,  OpCode::kMultiply,      OpCode::kBlend,           OpCode::kAddScaled,
    OpCode::kMin,       OpCode::kAddDifference, OpCode::kTrainDifference, OpCode::kMax,
    OpCode::kQuotient,  OpCode::kKeepAtLeast,   OpCode::kKeepSign,        OpCode::kWhereNotZero,
    OpCode::kMagnitude, OpCode::kSquareRoot,    OpCode::kKeepBelow,       OpCode::kKeepAtMost,
    OpCode::kChoose,    OpCode::kSign,          OpCode::kOrElse};

template <class T>
T Lesser(T x, T y) {
  if (std::isnan(x) || std::isnan(y)) return std::numeric_limits<T>::quiet_NaN();
  if (x == y) return std::signbit(x) ? x : y;
  return x < y ? x : y;
}

template <class T>
T Greater(T x, T y) {
  return -Lesser(-x, -y);
}

/// What an instruction means, for one element.
template <class T>
T Meaning(OpCode code, T s, T t, T x, T y, T z) {
  switch (code) {
    case OpCode::kConstant:
      return s;
    case OpCode::kScale:
      return s * x;
    case OpCode::kDivide:
      return x / s;
    case OpCode::kAdd:
      return x + y;
    case OpCode::kSubtract:
      return x - y;
    case OpCode::kMultiply:
      return x * y;
    case OpCode::kBlend:
      return s * x + t * y;
    case OpCode::kAddScaled:
      return x + s * y;
    case OpCode::kAddDifference:
      return x + s * (y - z);
    case OpCode::kTrainDifference: {
      const T whole = std::abs(y - z) + std::abs(y - x);
      return x + (s * (y - z)) * (whole == 0 ? T{0} : std::abs(y - x) / whole);
    }
    case OpCode::kMin:
      return Lesser(x, y);
    case OpCode::kMax:
      return Greater(x, y);
    case OpCode::kQuotient:
      return y == 0 ? x : x / y;
    case OpCode::kKeepAtLeast:
      return std::abs(x) >= s ? x : T{0};
    case OpCode::kKeepSign:
      return (y >= 0 ? x > 0 : x < 0) ? x : T{0};
    case OpCode::kWhereNotZero:
      return x == 0 ? T{0} : s;
    case OpCode::kKeepBelow:
      return y < z ? x : T{0};
    case OpCode::kKeepAtMost:
      return std::abs(x) <= s ? x : T{0};
    case OpCode::kChoose:
      return x == 0 ? z : y;
    case OpCode::kSign:
      return x > 0 ? T{1} : x < 0 ? T{-1} : T{0};
    case OpCode::kMagnitude:
      return std::abs(x);
    case OpCode::kSquareRoot:
      return std::sqrt(x);
    case OpCode::kOrElse:
      return std::isnan(x) ? y : x;
    case OpCode::kExponential:
    case OpCode::kLogarithm:
    case OpCode::kHyperbolicTangent:
    case OpCode::kCosine:
    case OpCode::kPower:
    case OpCode::kPowerOf:
    case OpCode::kKeepExtra:
    case OpCode::kSpread:
    case OpCode::kUniform:
    case OpCode::kNormal:
    case OpCode::kKeepLargest:
      break;
  }
  return x;
}

/// Weights, mixed with every kind of number that is special.
template <class T>
std::vector<T> SomeValues(std::size_t n, unsigned seed) {
  using Limits = std::numeric_limits<T>;
  const std::array special{
      T{0},          -T{0},          Limits::infinity(),   -Limits::infinity(),
      T{1},          T{-1},          Limits::denorm_min(), Limits::max(),
      Limits::min(), -Limits::max(), Limits::quiet_NaN(),  T{3} * Limits::denorm_min()};
  std::mt19937 random(seed);
  std::vector<T> values(n);
  for (T& value : values) {
    const auto draw = random();
    const T weight = static_cast<T>(static_cast<double>(random()) / 4294967296.0 - 0.5);
    value = draw % 4 == 0 ? special[draw / 4 % special.size()] : weight;
  }
  return values;
}

template <class T>
RegisterFile<T> FilledRegisters(std::size_t registers) {
  RegisterFile<T> file(registers);
  for (Register r = 0; r < registers; ++r)
    std::ranges::copy(SomeValues<T>(kTile, r), file[r].begin());
  return file;
}

template <class T>
std::vector<T> Expected(const Instruction& code, RegisterFile<T>& in, std::size_t n) {
  std::vector<T> values(n);
  for (std::size_t i = 0; i < n; ++i) {
    values[i] = Meaning(code.code, static_cast<T>(code.scalar[0]), static_cast<T>(code.scalar[1]),
                        in[code.in[0]][i], in[code.in[1]][i], in[code.in[2]][i]);
  }
  return values;
}

/// Runs a test on every instruction set of this CPU, named in failures.
class TapeOnEveryTarget : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { ForceSimdTarget(GetParam()); }
  void TearDown() override { ForceSimdTarget(""); }

  template <class T>
  void CheckAgainstMeaning(std::size_t n) {
    for (const OpCode code : kAllCodes) {
      SCOPED_TRACE(static_cast<int>(code));
      RegisterFile<T> registers = FilledRegisters<T>(5);
      const Instruction instruction{code, 3, {0, 1, 2}, {T(0.3), T(-1.7)}};
      const std::vector<T> expected = Expected<T>(instruction, registers, n);
      const std::vector<T> behind(registers[4].begin(), registers[4].end());
      RunTape({.sources = 3, .registers = 5, .instructions = {instruction}}, registers.all(), n, 0);
      ASSERT_EQ(Bits<T>(registers[3].first(n)), Bits<T>(std::span<const T>(expected)));
      ASSERT_EQ(Bits<T>(registers[4]), Bits<T>(std::span<const T>(behind))) << "written behind";
    }
  }

  /// A sum over lanes in order, as MeasureTile is defined.
  template <class T>
  void CheckEffect(std::size_t n, bool against_zero) {
    RegisterFile<T> registers = FilledRegisters<T>(2);
    for (T& value : registers.all()) {
      if (!std::isfinite(value) || std::abs(value) > 1) value = T(0.25);
    }
    std::copy_n(registers[0].begin(), n / 3, registers[1].begin());
    std::array<T, 16> change{};
    std::array<T, 16> before{};
    std::uint64_t changed = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const T x = registers[0][i];
      const T origin = against_zero ? T{0} : x;
      const T difference = registers[1][i] - origin;
      changed += registers[1][i] != origin;
      change[i % 16] += difference * difference;
      before[i % 16] += x * x;
    }
    const auto fold = [](const std::array<T, 16>& lanes) {
      double total = 0;
      for (const T lane : lanes) total += static_cast<double>(lane);
      return total;
    };
    const Effect effect = MeasureTile({0, 0, 1, against_zero}, std::as_const(registers).all(), n);
    EXPECT_EQ(effect.elements, n);
    EXPECT_EQ(effect.changed, changed);
    EXPECT_EQ(Bits(effect.change_squares), Bits(fold(change)));
    EXPECT_EQ(Bits(effect.before_squares), Bits(fold(before)));
  }
};

INSTANTIATE_TEST_SUITE_P(Simd, TapeOnEveryTarget, ::testing::ValuesIn(SimdTargets()),
                         [](const auto& test) { return test.param; });

TEST_P(TapeOnEveryTarget, IsTheTargetThatWasForced) {
  EXPECT_EQ(SimdTarget(), GetParam());
}

TEST_P(TapeOnEveryTarget, ComputesWhatInstructionsMeanOnAWholeTile) {
  CheckAgainstMeaning<float>(kTile);
  CheckAgainstMeaning<double>(kTile);
}

TEST_P(TapeOnEveryTarget, ComputesAnyLengthAndWritesNothingBehind) {
  for (std::size_t n = 1; n < kTile; n += n < 70 ? 1 : 59) {
    SCOPED_TRACE(n);
    CheckAgainstMeaning<float>(n);
    CheckAgainstMeaning<double>(n);
  }
}

TEST_P(TapeOnEveryTarget, ComputesInPlace) {
  for (const OpCode code : kAllCodes) {
    for (Register out = 0; out < 3; ++out) {
      RegisterFile<float> registers = FilledRegisters<float>(3);
      const Instruction instruction{code, out, {0, 1, 2}, {0.75, 0.25}};
      const std::vector<float> expected = Expected(instruction, registers, kTile);
      RunTape({.registers = 3, .instructions = {instruction}}, registers.all(), kTile, 0);
      EXPECT_EQ(Bits<float>(registers[out]), Bits<float>(std::span<const float>(expected)))
          << static_cast<int>(code) << " into " << out;
    }
  }
}

TEST_P(TapeOnEveryTarget, RunsInstructionsInOrder) {
  RegisterFile<float> registers(4);
  std::ranges::fill(registers[0], 3.0f);
  std::ranges::fill(registers[1], 5.0f);
  const Tape tape{.sources = 2,
                  .registers = 4,
                  .instructions = {{OpCode::kAdd, 2, {0, 1}, {}},
                                   {OpCode::kScale, 3, {2}, {10}},
                                   {OpCode::kSubtract, 2, {3, 0}, {}}}};
  RunTape(tape, registers.all(), kTile, 0);
  EXPECT_THAT(registers[2], ::testing::Each(77.0f));
}

TEST_P(TapeOnEveryTarget, KeepsExtraColumnsByElementIndex) {
  constexpr std::uint64_t kRow = 81;
  constexpr std::uint64_t kShared = 36;
  for (const std::uint64_t first : {0u, 1u, 36u, 80u, 81u, 1024u, 3000000000u}) {
    for (const std::size_t n : {1u, 40u, 82u, 1024u}) {
      RegisterFile<float> registers(3);
      std::ranges::fill(registers[0], 1.0f);
      std::ranges::fill(registers[1], 2.0f);
      const Tape tape{.sources = 2,
                      .registers = 3,
                      .instructions = {{OpCode::kKeepExtra, 2, {0, 1}, {kRow, kShared}}}};
      RunTape(tape, registers.all(), n, first);
      for (std::size_t i = 0; i < n; ++i) {
        const float expected = (first + i) % kRow < kShared ? 1 : 2;
        ASSERT_EQ(registers[2][i], expected) << first << " + " << i;
      }
    }
  }
}

TEST_P(TapeOnEveryTarget, SumsAnEffectInSixteenLanes) {
  for (const std::size_t n : {1u, 15u, 16u, 17u, 100u, 1009u, 1023u, 1024u}) {
    for (const bool against_zero : {false, true}) {
      SCOPED_TRACE(n);
      CheckEffect<float>(n, against_zero);
      CheckEffect<double>(n, against_zero);
    }
  }
}

TEST_P(TapeOnEveryTarget, CountsAChangeByValue) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInf = std::numeric_limits<float>::infinity();
  struct Pair {
    float before;
    float after;
    bool changed;
  };
  const std::array pairs{
      Pair{0.0f, -0.0f, false},
      Pair{kNan, kNan, false},
      Pair{kNan, -kNan, false},
      Pair{kInf, kInf, false},
      Pair{kInf, -kInf, true},
      Pair{kNan, 1.0f, true},
      Pair{1.0f, kNan, true},
      Pair{1.0f, 1.0f, false},
      Pair{1.0f, std::nextafter(1.0f, 2.0f), true},
      Pair{0.0f, 1e-45f, true},
  };
  for (const std::size_t place : {0u, 7u, 15u, 1023u}) {
    for (const Pair& pair : pairs) {
      RegisterFile<float> registers(2);
      registers[0][place] = pair.before;
      registers[1][place] = pair.after;
      const Effect effect = MeasureTile({0, 0, 1, false}, std::as_const(registers).all(), kTile);
      EXPECT_EQ(effect.changed, pair.changed) << pair.before << " to " << pair.after;
      EXPECT_TRUE(pair.changed || effect.change_squares == 0) << pair.before;
    }
  }
}

TEST_P(TapeOnEveryTarget, IgnoresWhatStandsBehindTheElements) {
  RegisterFile<float> registers(2);
  std::ranges::fill(registers[1].subspan(21), std::numeric_limits<float>::quiet_NaN());
  const Effect effect = MeasureTile({0, 0, 1, false}, std::as_const(registers).all(), 21);
  EXPECT_EQ(effect.changed, 0u);
  EXPECT_EQ(effect.change_squares, 0);
}

TEST_P(TapeOnEveryTarget, CountsElementsThatAreNotBelowALimit) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  for (const std::size_t n : {1u, 16u, 31u, 1024u}) {
    const std::vector<float> values = SomeValues<float>(n, 7);
    const std::vector<double> doubles = SomeValues<double>(n, 8);
    for (const float limit : {kInf, 65504.0f, 0.25f}) {
      const auto not_below = [limit](auto value) { return !(std::abs(value) < limit); };
      EXPECT_EQ(CountNotBelow(values, limit), std::ranges::count_if(values, not_below));
      EXPECT_EQ(CountNotBelow(doubles, limit), std::ranges::count_if(doubles, not_below));
    }
  }
  EXPECT_EQ(CountNotBelow(std::span<const float>(), 1.0f), 0u);
}

TEST_P(TapeOnEveryTarget, CountsAtAnyAlignment) {
  std::vector<float> values(101, 1.0f);
  values[50] = std::numeric_limits<float>::infinity();
  for (std::size_t from = 0; from < 17; ++from) {
    EXPECT_EQ(CountNotBelow(std::span<const float>(values).subspan(from), 2.0f), 1u);
  }
}

TEST(Effect, AddsUp) {
  Effect sum{10, 3, 0.5, 2.0};
  sum += Effect{5, 1, 0.25, 1.0};
  EXPECT_EQ(sum.elements, 15u);
  EXPECT_EQ(sum.changed, 4u);
  EXPECT_EQ(sum.change_squares, 0.75);
  EXPECT_EQ(sum.before_squares, 3.0);
}

TEST(Tape, RowsHaveTheirNumbersWhereverATileBegins) {
  constexpr std::uint64_t kRow = 300;
  const SlotValues slots{{}, {1, 2, 3, 4, 5, 6, 7, 8}};
  Instruction instruction{.code = OpCode::kSpread, .out = 0, .cells = Grid::Rows(kRow)};
  instruction.slot[0] = 1;
  RegisterFile<float> registers(1);
  RunTape({.registers = 1, .instructions = {instruction}}, registers.all(), kTile, kTile, slots);
  for (std::size_t i = 0; i < kTile; ++i) {
    ASSERT_EQ(registers[0][i], static_cast<float>((kTile + i) / kRow + 1)) << i;
  }
}

TEST(Tape, BlocksHaveTheirNumbersWhereverATileBegins) {
  // 300 columns in blocks of 2 × 128: three across, the last one of 44 columns.
  const Grid cells{.columns = 300, .cell_rows = 2, .cell_columns = 128};
  std::vector<double> numbers(12);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<double>(i);
  Instruction instruction{.code = OpCode::kSpread, .out = 0, .cells = cells};
  instruction.slot[0] = 0;
  RegisterFile<float> registers(1);
  RunTape({.registers = 1, .instructions = {instruction}}, registers.all(), kTile, kTile,
          {numbers});
  for (std::size_t i = 0; i < kTile; ++i) {
    const std::size_t row = (kTile + i) / 300;
    const std::size_t column = (kTile + i) % 300;
    ASSERT_EQ(registers[0][i], static_cast<float>(row / 2 * 3 + column / 128)) << i;
  }
}

TEST(Tape, IsBoundToTheNumbersOfItsSlots) {
  Instruction scale{.code = OpCode::kScale, .out = 1, .in = {0}};
  scale.slot[0] = 2;
  const Tape tape{.sources = 1, .registers = 2, .instructions = {scale}};
  const SlotValues slots{{}, {}, {0.1}};
  EXPECT_EQ(Bind(tape, slots, false).instructions[0].scalar[0], static_cast<double>(0.1f));
  EXPECT_EQ(Bind(tape, slots, true).instructions[0].scalar[0], 0.1);
  EXPECT_EQ(Bind(tape, slots, true).instructions[0].slot[0], kNoSlot);
}

}  // namespace
}  // namespace weightsmith::internal
