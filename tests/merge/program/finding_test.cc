#include "merge/program/finding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
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
