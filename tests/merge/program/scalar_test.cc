#include "merge/program/scalar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weightsmith::internal {
namespace {

using ::testing::ElementsAre;

std::vector<double> Evaluated(ScalarCode code, std::array<Scalar, 4> in, SlotValues slots = {}) {
  slots.resize(4);
  Evaluate(ScalarOp{code, in, 3}, slots);
  return slots[3];
}

TEST(ScalarOp, ComputesLiterals) {
  EXPECT_THAT(Evaluated(ScalarCode::kAdd, {3, 4, 0, 0}), ElementsAre(7));
  EXPECT_THAT(Evaluated(ScalarCode::kSubtract, {3, 4, 0, 0}), ElementsAre(-1));
  EXPECT_THAT(Evaluated(ScalarCode::kMultiply, {3, 4, 0, 0}), ElementsAre(12));
  EXPECT_THAT(Evaluated(ScalarCode::kDivide, {3, 4, 0, 0}), ElementsAre(0.75));
  EXPECT_THAT(Evaluated(ScalarCode::kMinimum, {3, 4, 0, 0}), ElementsAre(3));
  EXPECT_THAT(Evaluated(ScalarCode::kMaximum, {3, 4, 0, 0}), ElementsAre(4));
  EXPECT_THAT(Evaluated(ScalarCode::kMagnitude, {-3, 0, 0, 0}), ElementsAre(3));
  EXPECT_THAT(Evaluated(ScalarCode::kSquareRoot, {9, 0, 0, 0}), ElementsAre(3));
  EXPECT_THAT(Evaluated(ScalarCode::kSine, {0, 0, 0, 0}), ElementsAre(0));
  EXPECT_THAT(Evaluated(ScalarCode::kArcCosine, {1, 0, 0, 0}), ElementsAre(0));
  EXPECT_THAT(Evaluated(ScalarCode::kRound32, {0.1, 0, 0, 0}),
              ElementsAre(static_cast<double>(0.1f)));
  EXPECT_THAT(Evaluated(ScalarCode::kSelect, {1, 2, 10, 20}), ElementsAre(10));
  EXPECT_THAT(Evaluated(ScalarCode::kSelect, {2, 2, 10, 20}), ElementsAre(20));
}

TEST(ScalarOp, ANumberOfTheTensorGoesWithEachRow) {
  const SlotValues slots{{1, 2, 3}, {10}};
  EXPECT_THAT(Evaluated(ScalarCode::kAdd, {Scalar::Of(0), Scalar::Of(1), 0, 0}, slots),
              ElementsAre(11, 12, 13));
  EXPECT_THAT(Evaluated(ScalarCode::kMultiply, {2, Scalar::Of(0), 0, 0}, slots),
              ElementsAre(2, 4, 6));
}

TEST(ScalarOp, ATensorWithoutRowsHasNoNumbers) {
  const SlotValues slots{{}, {10}};
  EXPECT_THAT(Evaluated(ScalarCode::kAdd, {Scalar::Of(0), Scalar::Of(1), 0, 0}, slots),
              ElementsAre());
}

}  // namespace
}  // namespace weightsmith::internal
