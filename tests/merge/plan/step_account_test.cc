#include "merge/plan/step_account.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weightsmith::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST(StepAccountTest, TensorsAreCountedAndStepsAreNot) {
  StepAccount all;
  for (int tensor = 0; tensor < 3; ++tensor) {
    StepAccount one;
    one.computed.insert(7);
    one.selected[7] = 1;
    if (tensor > 0) one.kept[5] = 1;
    all.Add(one);
  }
  EXPECT_THAT(all.computed, ElementsAre(7U));
  EXPECT_THAT(all.selected, ElementsAre(Pair(7U, 3U)));
  EXPECT_THAT(all.kept, ElementsAre(Pair(5U, 2U)));
}

TEST(StepAccountTest, AModelIsSparedByTheStepOfTheFirstTensor) {
  StepAccount all;
  for (const NodeId step : {4U, 2U}) {
    StepAccount one;
    one.spared[0] = step;
    one.muted.emplace(step, 1);
    all.Add(one);
  }
  EXPECT_THAT(all.spared, ElementsAre(Pair(0U, 4U)));
  EXPECT_THAT(all.muted, ElementsAre(Pair(2U, 1U), Pair(4U, 1U)));
}

}  // namespace
}  // namespace weightsmith::internal
