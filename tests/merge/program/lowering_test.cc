#include "merge/program/lowering.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/merge/program/operands.h"
#include "tests/merge/tape_harness.h"

namespace weightsmith::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const Value kZero = Value::Zero();

Lowering Start() {
  return Lowering(Precision::kF32, 3);
}

/// The codes of the instructions that one value needs.
std::vector<OpCode> Codes(const Lowering& tape, Value value) {
  std::vector<OpCode> codes;
  for (const Instruction& instruction :
       Lowering(tape).Finish(std::array{value}).tape.instructions) {
    codes.push_back(instruction.code);
  }
  return codes;
}

TEST(Lowering, RoundsScalarsToTheWorkingPrecision) {
  const Lowering f32(Precision::kF32, 0);
  EXPECT_EQ(f32.Round(0.1), static_cast<double>(0.1f));
  EXPECT_EQ(f32.Difference(1, 0.3), static_cast<double>(1.0f - 0.3f));
  EXPECT_EQ(f32.Sum(0.1, 0.2), static_cast<double>(0.1f + 0.2f));
  EXPECT_EQ(f32.Product(1.8, 0.35), static_cast<double>(1.8f * 0.35f));
  const Lowering f64(Precision::kF64, 0);
  EXPECT_EQ(f64.Round(0.1), 0.1);
  EXPECT_EQ(f64.Difference(1, 0.3), 1 - 0.3);
  EXPECT_EQ(f64.Product(1.8, 0.35), 1.8 * 0.35);
}

TEST(Lowering, PutsRoundedScalarsOnTheTape) {
  Lowering tape = Start();
  const Value blend = tape.Blend(0.7, kX, 0.3, kY);
  const Tape made = std::move(tape).Finish(std::array{blend}).tape;
  EXPECT_THAT(made.instructions[0].scalar,
              ElementsAre(static_cast<double>(0.7f), static_cast<double>(0.3f)));
}

TEST(Lowering, RemovesAnOperandOfWeightZero) {
  Lowering tape = Start();
  EXPECT_EQ(tape.Blend(0, kX, 1, kY), kY);
  EXPECT_EQ(tape.Blend(1, kX, 0, kY), kX);
  EXPECT_EQ(tape.Blend(0, kX, 0, kY), kZero);
  EXPECT_EQ(tape.AddScaled(kX, 0, kY), kX);
  EXPECT_EQ(tape.AddDifference(kX, 0, kY, kZ), kX);
  EXPECT_EQ(tape.TrainDifference(kX, 0, kY, kZ), kX);
  EXPECT_EQ(tape.Scale(0, kX), kZero);
}

TEST(Lowering, HoldsAZeroInARegisterWhereOneIsAskedFor) {
  Lowering tape = Start();
  EXPECT_FALSE(tape.Constant(0).zero());
  EXPECT_EQ(tape.Hold(kZero), tape.Constant(0).reg());
  EXPECT_EQ(tape.Hold(kY), kY.reg());
}

TEST(Lowering, TakesAWeightThatRoundsToZeroOrOneAsThat) {
  Lowering tape = Start();
  EXPECT_EQ(tape.Scale(1 + 1e-12, kX), kX);
  EXPECT_EQ(tape.Scale(1e-60, kX), kZero);
  Lowering f64(Precision::kF64, 1);
  EXPECT_NE(f64.Scale(1 + 1e-12, kX), kX);
}

TEST(Lowering, TakesNoTimeForAWeightOfOne) {
  Lowering tape = Start();
  EXPECT_EQ(tape.Scale(1, kX), kX);
  EXPECT_EQ(tape.Divide(kX, 1), kX);
  EXPECT_THAT(Codes(tape, tape.AddScaled(kX, 1, kY)), ElementsAre(OpCode::kAdd));
  EXPECT_THAT(Codes(tape, tape.Blend(1, kX, 0.5, kY)), ElementsAre(OpCode::kAddScaled));
  EXPECT_THAT(Codes(tape, tape.Blend(0.5, kX, 1, kY)), ElementsAre(OpCode::kAddScaled));
  EXPECT_THAT(Codes(tape, tape.Blend(0.5, kX, 0, kY)), ElementsAre(OpCode::kScale));
}

TEST(Lowering, TreatsAnAbsentDifferenceAsZero) {
  Lowering tape = Start();
  EXPECT_EQ(tape.Scale(3, kZero), kZero);
  EXPECT_EQ(tape.Divide(kZero, 3), kZero);
  EXPECT_EQ(tape.Add(kX, kZero), kX);
  EXPECT_EQ(tape.Add(kZero, kY), kY);
  EXPECT_EQ(tape.Subtract(kX, kZero), kX);
  EXPECT_EQ(tape.Subtract(kZero, kZero), kZero);
  EXPECT_EQ(tape.Multiply(kX, kZero), kZero);
  EXPECT_EQ(tape.AddScaled(kX, 2, kZero), kX);
  EXPECT_EQ(tape.AddDifference(kX, 2, kZero, kZero), kX);
  EXPECT_EQ(tape.TrainDifference(kX, 2, kZero, kZero), kX);
  EXPECT_EQ(tape.Min(kZero, kZero), kZero);
  EXPECT_THAT(Codes(tape, tape.Subtract(kZero, kY)), ElementsAre(OpCode::kScale));
  EXPECT_THAT(Codes(tape, tape.AddDifference(kX, 2, kZero, kZ)), ElementsAre(OpCode::kAddScaled));
  EXPECT_THAT(Codes(tape, tape.Max(kX, kZero)), ElementsAre(OpCode::kConstant, OpCode::kMax));
}

TEST(Lowering, SharesEqualInstructions) {
  Lowering tape = Start();
  const Value once = tape.Blend(0.5, kX, 0.25, kY);
  EXPECT_EQ(tape.Blend(0.5, kX, 0.25, kY), once);
  EXPECT_NE(tape.Blend(0.25, kX, 0.5, kY), once);
  EXPECT_NE(tape.Blend(0.5, kX, 0.25, kZ), once);
  EXPECT_NE(tape.Scale(2, kX), tape.Divide(kX, 2));
}

TEST(Lowering, KeepsExtraColumnsOnlyWhereThereAreSome) {
  Lowering tape = Start();
  EXPECT_EQ(tape.KeepExtra(kX, kX, 9, 4), kX);
  EXPECT_EQ(tape.KeepExtra(kX, kY, 9, 9), kX);
  EXPECT_EQ(tape.KeepExtra(kX, kY, 9, 0), kY);
  EXPECT_THAT(Codes(tape, tape.KeepExtra(kX, kY, 9, 4)), ElementsAre(OpCode::kKeepExtra));
}

TEST(Finish, LeavesOutWhatNoResultNeeds) {
  Lowering tape = Start();
  tape.Multiply(kX, kZ);
  const Value sum = tape.Add(tape.Scale(2, kZ), kY);
  const Lowering::Finished program = std::move(tape).Finish(std::array{sum});
  EXPECT_THAT(program.sources, ElementsAre(1, 2));
  EXPECT_EQ(program.tape.sources, 2);
  const std::vector<Instruction> expected{{OpCode::kScale, 2, {1, 0, 0}, {2, 0}},
                                          {OpCode::kAdd, 2, {2, 0, 0}, {}}};
  EXPECT_EQ(program.tape.instructions, expected);
  EXPECT_THAT(program.results, ElementsAre(Value::Of(2)));
}

TEST(Finish, GivesASourceOrAZeroAsItIs) {
  Lowering tape = Start();
  const Lowering::Finished program = std::move(tape).Finish(std::array{kZ, kZero, kZ});
  EXPECT_THAT(program.sources, ElementsAre(2));
  EXPECT_THAT(program.tape.instructions, IsEmpty());
  EXPECT_EQ(program.tape.registers, 1);
  EXPECT_THAT(program.results, ElementsAre(Value::Of(0), kZero, Value::Of(0)));
}

TEST(Finish, ReusesRegistersWhoseValueHasBeenUsed) {
  Lowering tape(Precision::kF32, 2);
  Value value = kX;
  for (int i = 0; i < 40; ++i) value = tape.AddScaled(tape.Scale(0.5 + i, value), 0.25, kY);
  const Tape made = std::move(tape).Finish(std::array{value}).tape;
  EXPECT_EQ(made.instructions.size(), 80u);
  EXPECT_EQ(made.registers, 3);
}

TEST(Finish, KeepsValuesThatAreUsedLater) {
  // ((x+y)·2 + (x+y)): the sum is needed after it was scaled.
  Lowering tape(Precision::kF32, 2);
  const Value sum = tape.Add(kX, kY);
  const Value out = tape.Add(tape.Scale(2, sum), sum);
  const auto values = RunOn<float>(std::move(tape).Finish(std::array{out}), {{1, 2}, {10, 20}});
  EXPECT_THAT(values, ElementsAre(33, 66));
}

TEST(Finish, KeepsWhatAProbeComparesUntilTheEnd) {
  Lowering tape(Precision::kF32, 2);
  const Value first = tape.Add(kX, kY);
  tape.AddProbe({.step = 7, .before = kX.reg(), .after = first.reg()});
  const Value second = tape.Scale(3, first);
  tape.AddProbe({.step = 8, .before = first.reg(), .after = second.reg()});
  const Value third = tape.Multiply(second, second);
  const Lowering::Finished program = std::move(tape).Finish(std::array{third});
  ASSERT_EQ(program.tape.probes.size(), 2u);

  RegisterFile<float> registers(program.tape.registers);
  std::ranges::fill(registers[0], 1.0f);
  std::ranges::fill(registers[1], 10.0f);
  RunTape(program.tape, registers.all(), kTile, 0);
  const auto at = [&](Register r) { return registers[r][0]; };
  EXPECT_EQ(program.tape.probes[0].step, 7u);
  EXPECT_EQ(at(program.tape.probes[0].before), 1);
  EXPECT_EQ(at(program.tape.probes[0].after), 11);
  EXPECT_EQ(at(program.tape.probes[1].before), 11);
  EXPECT_EQ(at(program.tape.probes[1].after), 33);
  EXPECT_EQ(at(program.results[0].reg()), 1089);
}

TEST(Finish, DropsProbesOfWhatNobodyNeeds) {
  Lowering tape(Precision::kF32, 2);
  const Value unused = tape.Scale(3, kX);
  tape.AddProbe({.step = 0, .before = kX.reg(), .after = unused.reg()});
  const Lowering::Finished program = std::move(tape).Finish(std::array{kY});
  EXPECT_THAT(program.tape.probes, IsEmpty());
  EXPECT_THAT(program.sources, ElementsAre(1));
}

TEST(Finish, ComputesWhatAProbeComparesWith) {
  // The step replaced its operand altogether: the value before is computed for the probe alone.
  Lowering tape(Precision::kF32, 2);
  const Value before = tape.Scale(3, kX);
  const Value after = tape.Scale(5, kY);
  tape.AddProbe({.step = 0, .before = before.reg(), .after = after.reg()});
  const Lowering::Finished program = std::move(tape).Finish(std::array{after});
  EXPECT_THAT(program.sources, ElementsAre(0, 1));
  EXPECT_EQ(program.tape.probes.size(), 1u);
  EXPECT_EQ(program.tape.instructions.size(), 2u);
}

TEST(Finish, KeepsWhatAProbeAgainstZeroIsRelativeTo) {
  Lowering tape(Precision::kF32, 3);
  const Value half = tape.Scale(0.5, kX);
  const Value difference = tape.Subtract(half, kZ);
  tape.AddProbe({.step = 4, .before = half.reg(), .after = difference.reg(), .against_zero = true});
  const Lowering::Finished program = std::move(tape).Finish(std::array{difference});
  EXPECT_THAT(program.sources, ElementsAre(0, 2));
  EXPECT_THAT(program.tape.probes, ElementsAre(Probe{4, 2, 3, true}));
}

TEST(Lowering, DoesNotWatchAStepThatLeftItsValue) {
  Lowering tape(Precision::kF32, 1);
  tape.AddProbe({.step = 0, .before = 0, .after = 0});
  EXPECT_THAT(std::move(tape).Finish(std::array{kX}).tape.probes, IsEmpty());
}

TEST(Finish, GivesTheSameProgramForTheSameSteps) {
  const auto make = [] {
    Lowering tape(Precision::kF32, 3);
    const Value mix = tape.Blend(0.7, kX, 0.3, kY);
    const Value out = tape.AddDifference(mix, 0.5, kY, kZ);
    tape.AddProbe({.step = 1, .before = mix.reg(), .after = out.reg()});
    return std::move(tape).Finish(std::array{out, mix});
  };
  EXPECT_EQ(make().tape, make().tape);
  EXPECT_EQ(make().results, make().results);
}

}  // namespace
}  // namespace weightsmith::internal
