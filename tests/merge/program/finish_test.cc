#include "merge/program/finish.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "merge/program/lowering.h"
#include "merge/program/primitive.h"
#include "tests/merge/program/operands.h"

namespace weightsmith::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Lowering StartWide() {
  return Lowering(Precision::kF64, 3);
}

TEST(Finish, WhatNeedsNoNumberOfTheTensorHasOnePass) {
  Lowering tape = StartWide();
  const Value sum = tape.Add(kX, kY);
  tape.Dot(kX, kZ);  // of no use
  const FinishedProgram program = std::move(tape).Finish(std::array{sum});
  EXPECT_THAT(program.passes, IsEmpty());
  EXPECT_EQ(program.slot_count, 0);
  EXPECT_THAT(program.sources, ElementsAre(0, 1));
}

TEST(Finish, ANumberOfTheTensorIsGatheredInAPassBefore) {
  Lowering tape = StartWide();
  const Value scaled = tape.Scale(tape.Dot(kY, kZ), kX);
  const FinishedProgram program = std::move(tape).Finish(std::array{scaled});
  ASSERT_THAT(program.passes, SizeIs(1));
  const Pass& pass = program.passes.front();
  EXPECT_THAT(pass.operands, ElementsAre(1, 2));  // x is not read in it
  ASSERT_THAT(pass.reductions, SizeIs(1));
  EXPECT_THAT(pass.reductions[0].in, ElementsAre(0, 1));
  EXPECT_EQ(pass.reductions[0].out, 0);
  EXPECT_THAT(pass.tape.instructions, IsEmpty());
  ASSERT_THAT(program.tape.instructions, SizeIs(1));
  EXPECT_EQ(program.tape.instructions[0].slot[0], 0);
  EXPECT_THAT(program.sources, ElementsAre(0, 1, 2));
}

TEST(Finish, WorkOnNumbersFollowsThePassThatGathersTheLastOfThem) {
  Lowering tape = StartWide();
  const Scalar norm = tape.Norm(kX);
  const Value unit = tape.Divide(kX, norm);
  const Scalar second = tape.Plus(tape.SumOf(unit), norm);
  const FinishedProgram program = std::move(tape).Finish(std::array{tape.Scale(second, kY)});
  ASSERT_THAT(program.passes, SizeIs(2));
  ASSERT_THAT(program.passes[0].scalars, SizeIs(1));
  EXPECT_EQ(program.passes[0].scalars[0].code, ScalarCode::kSquareRoot);
  ASSERT_THAT(program.passes[1].scalars, SizeIs(1));
  EXPECT_EQ(program.passes[1].scalars[0].code, ScalarCode::kAdd);
  // The second pass computes the unit vector again from what it reads.
  ASSERT_THAT(program.passes[1].tape.instructions, SizeIs(1));
  EXPECT_EQ(program.passes[1].tape.instructions[0].code, OpCode::kDivide);
  EXPECT_THAT(program.passes[1].operands, ElementsAre(0));
}

TEST(Finish, EqualNumbersAreGatheredOnce) {
  Lowering tape = StartWide();
  const Value a = tape.Scale(tape.Dot(kX, kY), kX);
  const Value b = tape.Scale(tape.Dot(kY, kX), kY);
  const FinishedProgram program = std::move(tape).Finish(std::array{a, b});
  ASSERT_THAT(program.passes, SizeIs(1));
  EXPECT_THAT(program.passes[0].reductions, SizeIs(1));
}

TEST(Finish, LiteralsAreFoldedAtOnce) {
  Lowering tape = StartWide();
  EXPECT_TRUE(tape.Plus(1, 2).Is(3));
  EXPECT_TRUE(tape.Dot(Value::Zero(), kX).Is(0));
  EXPECT_TRUE(tape.Select(1, 2, 3, 4).Is(3));
  EXPECT_EQ(tape.Scale(tape.SumOf(Value::Zero()), kX), Value::Zero());
}

struct Numbered {
  double number = 0;
  bool flag = false;
};

void Copy(TensorInputs in, const Shape& /*shape*/, const Numbered& /*parameters*/,
          std::span<float> out, const Poll& /*poll*/, Told /*told*/) {
  std::ranges::copy(in[0], out.begin());
}

TEST(Finish, AFunctionOfTheTensorIsReadAsASourceBehindTheOthers) {
  constexpr TensorFunction<Numbered> function{.name = "copy", .compute = Copy};
  Lowering tape = StartWide();
  const Value difference = tape.Subtract(kY, kX);
  const Value copied =
      tape.Transformed(function, std::array{difference}, {.number = 1.5, .flag = true});
  const FinishedProgram program = std::move(tape).Finish(std::array{tape.Add(kX, copied)});
  ASSERT_THAT(program.passes, SizeIs(1));
  const Pass& pass = program.passes.front();
  ASSERT_THAT(pass.kept, SizeIs(1));
  ASSERT_THAT(pass.transforms, SizeIs(1));
  EXPECT_THAT(pass.transforms[0].in, ElementsAre(pass.kept[0].out));
  EXPECT_THAT(pass.transforms[0].call->Numbers(), ElementsAre(1.5, 1));
  EXPECT_THAT(program.kept, ElementsAre(pass.transforms[0].out));
  EXPECT_EQ(program.kept_count, 2);
  EXPECT_EQ(program.tape.sources, 3);  // x, y, what the function gives
  EXPECT_THAT(program.tape.instructions[0].in, ElementsAre(0, 2, 0));
}

TEST(Finish, AFunctionOfAFunctionTakesAPassMore) {
  constexpr TensorFunction<Numbered> function{.name = "copy", .compute = Copy};
  Lowering tape = StartWide();
  const Value once = tape.Transformed(function, std::array{kX}, {});
  const Value twice = tape.Transformed(function, std::array{tape.Add(once, kY)}, {});
  const FinishedProgram program = std::move(tape).Finish(std::array{twice});
  ASSERT_THAT(program.passes, SizeIs(2));
  // Operands are numbered behind the two sources.
  EXPECT_THAT(program.passes[1].operands, ElementsAre(1, 2 + program.passes[0].transforms[0].out));
  EXPECT_THAT(program.tape.instructions, IsEmpty());
}

constexpr TensorFunction<Numbered> kOfRows{
    .name = "copy",
    .compute = Copy,
    .by_row = [](const Shape& shape, const Numbered& /*parameters*/) -> ByRow {
      return {.elements = shape[1]};
    }};

TEST(Finish, AFunctionOfRowsTakesNoPass) {
  Lowering tape = StartWide();
  const Value copied =
      tape.Transformed(kOfRows, tape.Subtract(kY, kX), {.number = 1.5}, Shape{9, 7});
  const FinishedProgram program = std::move(tape).Finish(std::array{tape.Add(kX, copied)});
  EXPECT_THAT(program.passes, IsEmpty());
  ASSERT_THAT(program.rows, SizeIs(1));
  const RowValue& rows = program.rows.front();
  EXPECT_EQ(rows.call->name(), "copy");
  EXPECT_THAT(rows.call->Numbers(), ElementsAre(1.5, 0));
  EXPECT_THAT(rows.operands, ElementsAre(0, 1));
  EXPECT_THAT(rows.tape.instructions, SizeIs(1));
  EXPECT_EQ(rows.value, rows.tape.instructions[0].out);
  EXPECT_THAT(program.kept, ElementsAre(rows.out));
  EXPECT_THAT(program.tape.instructions, SizeIs(1));
  EXPECT_EQ(program.tape.sources, 3);  // x, y, what the function gives
}

TEST(Finish, AFunctionOfRowsIsReadInThePassesThatItsInputIsReadIn) {
  Lowering tape = StartWide();
  const Value scaled = tape.Scale(tape.Norm(kX), kY);  // known when a pass has ended
  const Value once = tape.Transformed(kOfRows, scaled, {}, Shape{9, 7});
  const Value twice = tape.Transformed(kOfRows, tape.Add(once, kX), {}, Shape{9, 7});
  const FinishedProgram program =
      std::move(tape).Finish(std::array{tape.Scale(tape.Norm(once), twice)});
  ASSERT_THAT(program.passes, SizeIs(2));
  ASSERT_THAT(program.rows, SizeIs(2));
  const KeptIndex first = program.rows[0].out;
  // Operands are numbered behind the two sources.
  EXPECT_THAT(program.passes[1].operands, ElementsAre(2 + first));
  EXPECT_THAT(program.passes[1].kept, IsEmpty());
  EXPECT_THAT(program.rows[1].operands, ElementsAre(0, 2 + first));
  EXPECT_THAT(program.kept, ElementsAre(program.rows[1].out));
}

TEST(Finish, RowsThatAreTooLongArePartsOfATensorThatIsKept) {
  Lowering tape = StartWide();
  const Value longest = tape.Transformed(kOfRows, kX, {}, Shape{2, kLargestRow});
  const Value longer = tape.Transformed(kOfRows, kX, {}, Shape{2, kLargestRow + 1});
  const FinishedProgram program = std::move(tape).Finish(std::array{tape.Add(longest, longer)});
  EXPECT_THAT(program.rows, SizeIs(1));
  ASSERT_THAT(program.passes, SizeIs(1));
  EXPECT_THAT(program.passes[0].transforms, SizeIs(1));
}

TEST(Finish, WhatWaitsForAKeptValueIsReadBehindIt) {
  Lowering tape = StartWide();
  const Value weight = tape.Add(kX, kY);
  const KeptIndex kept = tape.KeepFor(weight, kZ.reg());
  const FinishedProgram program = std::move(tape).Finish(std::array{tape.Add(weight, kZ)});
  ASSERT_THAT(program.passes, SizeIs(1));
  EXPECT_THAT(program.passes[0].operands, ElementsAre(0, 1));
  ASSERT_THAT(program.passes[0].kept, SizeIs(1));
  EXPECT_EQ(program.whole.at(kept), program.passes[0].kept[0].out);
  EXPECT_THAT(program.kept, IsEmpty());  // only what waits for it reads it
}

TEST(Finish, SlotsThatWereAskedForAreKnownBeforeTheTape) {
  Lowering tape = StartWide();
  const Scalar largest = tape.Largest(kX);
  const FinishedProgram program = std::move(tape).Finish(std::array{kX}, std::array{largest});
  ASSERT_THAT(program.passes, SizeIs(1));
  EXPECT_THAT(program.slots, ElementsAre(program.passes[0].reductions[0].out));
}

TEST(Primitive, EveryInstructionReadsWhatItSays) {
  EXPECT_EQ(Inputs(OpCode::kConstant), 0u);
  EXPECT_EQ(Inputs(OpCode::kBlend), 2u);
  EXPECT_EQ(Inputs(OpCode::kAddDifference), 3u);
  EXPECT_EQ(Inputs(OpCode::kSpread), 0u);
}

}  // namespace
}  // namespace weightsmith::internal
