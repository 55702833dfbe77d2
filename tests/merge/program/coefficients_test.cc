#include "merge/program/coefficients.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "merge/program/lowering.h"
#include "tests/merge/program/operands.h"

namespace weightsmith::internal {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::Optional;

std::optional<std::vector<double>> Of(const Lowering& tape, Value value) {
  // All sources are results, so that none is dropped.
  const auto program = Lowering(tape).Finish(std::array{value, kX, kY, kZ});
  return LinearCoefficients(program.tape, program.results[0].reg());
}

TEST(LinearCoefficients, OfASourceAreOneOfItself) {
  EXPECT_THAT(Of(Lowering(Precision::kF64, 3), kY), Optional(ElementsAre(0, 1, 0)));
}

TEST(LinearCoefficients, FollowEveryLinearInstruction) {
  Lowering tape(Precision::kF64, 3);
  EXPECT_THAT(Of(tape, tape.Scale(3, kX)), Optional(ElementsAre(3, 0, 0)));
  EXPECT_THAT(Of(tape, tape.Divide(kX, 4)), Optional(ElementsAre(0.25, 0, 0)));
  EXPECT_THAT(Of(tape, tape.Add(kX, kZ)), Optional(ElementsAre(1, 0, 1)));
  EXPECT_THAT(Of(tape, tape.Subtract(kX, kZ)), Optional(ElementsAre(1, 0, -1)));
  EXPECT_THAT(Of(tape, tape.Blend(0.75, kX, 0.25, kY)), Optional(ElementsAre(0.75, 0.25, 0)));
  EXPECT_THAT(Of(tape, tape.AddScaled(kX, 0.5, kZ)), Optional(ElementsAre(1, 0, 0.5)));
  EXPECT_THAT(Of(tape, tape.AddDifference(kX, 0.5, kY, kZ)), Optional(ElementsAre(1, 0.5, -0.5)));
  EXPECT_THAT(Of(tape, tape.Add(kX, kX)), Optional(ElementsAre(2, 0, 0)));
}

TEST(LinearCoefficients, FollowAChainAcrossReusedRegisters) {
  Lowering tape(Precision::kF64, 3);
  const Value style = tape.AddDifference(kX, 0.5, kY, kZ);
  const Value mix = tape.Blend(0.75, style, 0.25, kY);
  const Value soup = tape.Blend(0.5, mix, 0.5, kX);
  EXPECT_THAT(Of(tape, soup),
              Optional(ElementsAre(DoubleEq(0.875), DoubleEq(0.3125), DoubleEq(-0.1875))));
}

TEST(LinearCoefficients, AreNothingOfWhatIsNotLinear) {
  Lowering tape(Precision::kF64, 3);
  EXPECT_EQ(Of(tape, tape.Multiply(kX, kY)), std::nullopt);
  EXPECT_EQ(Of(tape, tape.Min(kX, kY)), std::nullopt);
  EXPECT_EQ(Of(tape, tape.Max(kX, kY)), std::nullopt);
  EXPECT_EQ(Of(tape, tape.TrainDifference(kX, 1, kY, kZ)), std::nullopt);
  EXPECT_EQ(Of(tape, tape.KeepExtra(kX, kY, 9, 4)), std::nullopt);
  EXPECT_EQ(Of(tape, tape.Constant(1)), std::nullopt);
  EXPECT_EQ(Of(tape, tape.Add(kZ, tape.Multiply(kX, kY))), std::nullopt);
}

TEST(LinearCoefficients, OfAHeldZeroAreZeros) {
  Lowering tape(Precision::kF64, 3);
  EXPECT_THAT(Of(tape, Value::Of(tape.Hold(Value::Zero()))), Optional(ElementsAre(0, 0, 0)));
}

TEST(LinearCoefficients, AreThoseOfTheWorkingPrecision) {
  Lowering tape(Precision::kF32, 3);
  EXPECT_THAT(Of(tape, tape.Scale(0.3, kX)), Optional(ElementsAre(double{0.3f}, 0, 0)));
}

}  // namespace
}  // namespace weightsmith::internal
