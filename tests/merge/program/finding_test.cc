#include "merge/program/finding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <span>
#include <vector>

#include "merge/program/lowering.h"
#include "tests/merge/program/operands.h"

namespace weightsmith::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// What an operator tells belongs to a step once its result is known.
void Claim(Lowering& tape, Value result) {
  for (Finding& finding : tape.FindingsFrom(0)) finding.result = result.reg();
}

FinishedProgram FinishWith(Lowering&& tape, Value result) {
  Claim(tape, result);
  return std::move(tape).Finish(std::array{result});
}

TEST(Findings, ANumberThatTheResultNeedsIsTold) {
  Lowering tape(Precision::kF64, 3);
  const Scalar norm = tape.Norm(kY);
  tape.Tell("norm", norm);
  tape.Tell("twice", tape.Times(2, norm), Unit::kNumber, Subject::Entry(1));
  const FinishedProgram program = FinishWith(std::move(tape), tape.Scale(norm, kX));
  ASSERT_THAT(program.findings.list, SizeIs(2));
  EXPECT_THAT(program.passes, SizeIs(1));
  EXPECT_EQ(program.findings.list[0].number.slot(), program.tape.instructions[0].slot[0]);
  EXPECT_EQ(program.findings.list[1].subject.IndexBehind(2), 3u);
  EXPECT_THAT(program.findings.tape.instructions, IsEmpty());
}

TEST(Findings, ANumberThatCostsAPassIsNotTold) {
  Lowering tape(Precision::kF64, 3);
  tape.Tell("norm", tape.Norm(kY));
  tape.TellShare("large", tape.KeepAtLeast(kX, tape.Largest(kX)));
  const FinishedProgram program = FinishWith(std::move(tape), tape.Add(kX, kY));
  EXPECT_THAT(program.findings.list, IsEmpty());
  EXPECT_THAT(program.passes, IsEmpty());
  EXPECT_EQ(program.slot_count, 0);
}

TEST(Findings, AShareLeavesTheTapeAsItIs) {
  Lowering plain(Precision::kF64, 3);
  const FinishedProgram without = FinishWith(std::move(plain), plain.Add(kX, kY));
  Lowering tape(Precision::kF64, 3);
  tape.TellShare("differ", tape.Subtract(kX, kY));
  const FinishedProgram with = FinishWith(std::move(tape), tape.Add(kX, kY));
  EXPECT_EQ(with.tape, without.tape);
  ASSERT_THAT(with.findings.list, SizeIs(1));
  EXPECT_EQ(with.findings.list[0].unit, Unit::kShare);
  EXPECT_THAT(with.findings.operands, ElementsAre(0, 1));
  ASSERT_THAT(with.findings.tape.instructions, SizeIs(1));
  EXPECT_EQ(with.findings.list[0].marked, with.findings.tape.instructions[0].out);
}

TEST(Findings, AShareOfWhatTheResultDoesNotReadIsNotTold) {
  Lowering tape(Precision::kF64, 3);
  tape.TellShare("differ", tape.Subtract(kX, kZ));
  const FinishedProgram program = FinishWith(std::move(tape), tape.Add(kX, kY));
  EXPECT_THAT(program.findings.list, IsEmpty());
  EXPECT_THAT(program.sources, ElementsAre(0, 1));
}

TEST(Findings, OfAStepThatIsNotComputedAreNotTold) {
  Lowering tape(Precision::kF64, 3);
  tape.Tell("alpha", 0.5);
  Claim(tape, tape.Multiply(kX, kY));
  EXPECT_THAT(std::move(tape).Finish(std::array{kX}).findings.list, IsEmpty());
}

TEST(Findings, WhatAFunctionTellsIsAskedOfIt) {
  constexpr TensorFunction<NoParameters> function{.name = "tells", .compute = nullptr};
  Lowering tape(Precision::kF64, 3);
  const Value made = tape.Transformed(function, std::array{kX}, {});
  tape.Tell("number", tape.Times(2, tape.ToldBy(made, 1)));
  const FinishedProgram program = FinishWith(std::move(tape), tape.Add(made, kY));
  ASSERT_THAT(program.passes, SizeIs(1));
  const Pass& pass = program.passes[0];
  ASSERT_THAT(pass.transforms, SizeIs(1));
  ASSERT_THAT(pass.transforms[0].told, SizeIs(1));
  EXPECT_EQ(pass.transforms[0].told[0].index, 1u);
  ASSERT_THAT(pass.scalars, SizeIs(1));
  EXPECT_EQ(pass.scalars[0].in[1].slot(), pass.transforms[0].told[0].out);
  ASSERT_THAT(program.findings.list, SizeIs(1));
  EXPECT_EQ(program.findings.list[0].number.slot(), pass.scalars[0].out);
}

TEST(Findings, WhatAFunctionTellsThatIsNotComputedIsNotTold) {
  constexpr TensorFunction<NoParameters> function{.name = "tells", .compute = nullptr};
  Lowering tape(Precision::kF64, 3);
  tape.Tell("number", tape.ToldBy(tape.Transformed(function, std::array{kX}, {}), 0));
  const FinishedProgram program = FinishWith(std::move(tape), tape.Add(kX, kY));
  EXPECT_THAT(program.findings.list, IsEmpty());
  EXPECT_THAT(program.passes, IsEmpty());
}

TEST(Findings, AFunctionThatNobodyAsksTellsNothing) {
  constexpr TensorFunction<NoParameters> function{.name = "tells", .compute = nullptr};
  Lowering tape(Precision::kF64, 3);
  const Value made = tape.Transformed(function, std::array{kX}, {});
  const FinishedProgram program = FinishWith(std::move(tape), made);
  ASSERT_THAT(program.passes, SizeIs(1));
  EXPECT_THAT(program.passes[0].transforms[0].told, IsEmpty());
  EXPECT_EQ(program.slot_count, 0);
}

TEST(Findings, AMeanIsOfWhatAShareWouldCount) {
  Lowering tape(Precision::kF64, 3);
  tape.TellShare("share", kX);
  tape.TellMean("mean", kX);
  tape.TellMean("of nothing", Value::Zero());
  const FinishedProgram program = FinishWith(std::move(tape), tape.Add(kX, kY));
  ASSERT_THAT(program.findings.list, SizeIs(3));
  EXPECT_FALSE(program.findings.list[0].mean);
  EXPECT_TRUE(program.findings.list[1].mean);
  EXPECT_EQ(program.findings.list[1].marked, program.findings.list[0].marked);
  EXPECT_FALSE(program.findings.list[2].mean);
  EXPECT_EQ(NumbersOf(program.findings.list[2], {}).Value(), 0);
}

TEST(Findings, AShareOfNothingIsZero) {
  Lowering tape(Precision::kF64, 3);
  tape.TellShare("kept", Value::Zero());
  const FinishedProgram program = FinishWith(std::move(tape), tape.Add(kX, kY));
  ASSERT_THAT(program.findings.list, SizeIs(1));
  EXPECT_EQ(NumbersOf(program.findings.list[0], {}).Value(), 0);
}

TEST(NumbersOf, ManyCellsIsTheMeanOfThoseThatAreFinite) {
  Finding finding{.label = "angle", .number = Scalar::Of(0), .of = Scalar(8.0), .result = {}};
  const Found found = NumbersOf(finding, {{1, std::nan(""), 3}});
  EXPECT_EQ(found.Value(), 2);
  EXPECT_EQ(found.of, 8);
  EXPECT_TRUE(std::isnan(NumbersOf(finding, {{std::nan("")}}).Value()));
}

TEST(Found, PartsOfATensorAddUp) {
  Found all;
  EXPECT_TRUE(std::isnan(all.Value()));
  all += {.marked = 1, .seen = 4};
  all += {.marked = 2, .seen = 2};
  EXPECT_EQ(all.Value(), 0.5);
}

TEST(CountMarked, IsOfWhatIsNotZero) {
  const std::vector<float> values = {0, -0.0f, 1, -2, std::nanf(""), 1e-45f};
  EXPECT_EQ(CountMarked(std::span(values)), 4u);
  const std::vector<double> wide = {0, 5e-324, -1};
  EXPECT_EQ(CountMarked(std::span(wide)), 2u);
}

TEST(SumShares, IsTheMeanOfWhatIsANumber) {
  const std::vector<float> shares = {0, 1, 0.5f, 2, -1, std::nanf("")};
  EXPECT_EQ(SumShares(std::span(shares)).Value(), 0.5);  // 2 counts as 1, -1 as 0
  const std::vector<double> wide = {0.25, 0.75, 0.125};
  Found all = SumShares(std::span(wide));
  EXPECT_EQ(all.Value(), 0.375);
  all += SumShares(std::span(shares));
  EXPECT_EQ(all.Value(), (3 * 0.375 + 5 * 0.5) / 8);
  EXPECT_TRUE(std::isnan(SumShares(std::span(shares).last(1)).Value()));
}

TEST(LooksAt, AllTilesOfSmallTensorsAndSomeOfLargeOnes) {
  constexpr std::uint64_t kSmall = 64 * kTile + 5;
  for (std::uint64_t first = 0; first < kSmall; first += kTile) {
    EXPECT_TRUE(LooksAt(first, kTile, kSmall)) << first;
  }
  constexpr std::uint64_t kLarge = 64000 * kTile;
  std::uint64_t tiles = 0;
  for (std::uint64_t first = 0; first < kLarge; first += kTile) {
    tiles += LooksAt(first, kTile, kLarge) ? 1 : 0;
  }
  EXPECT_EQ(tiles, kTilesLookedAt);
}

}  // namespace
}  // namespace weightsmith::internal
