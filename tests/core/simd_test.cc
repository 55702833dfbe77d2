#include "core/simd.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace weightsmith {
namespace {

class Simd : public testing::Test {
 protected:
  void TearDown() override { ForceSimdTarget(""); }
};

TEST_F(Simd, KernelsReportTheTargetThatWasForced) {
  for (const std::string& target : SimdTargets()) {
    ForceSimdTarget(target);
    EXPECT_EQ(SimdTarget(), target);
  }
}

TEST_F(Simd, EmptyNameMeansTheBest) {
  ForceSimdTarget(SimdTargets().back());
  ForceSimdTarget("");
  EXPECT_EQ(SimdTarget(), SimdTargets().front());
}

TEST_F(Simd, CaseIsIgnoredAndForcingDoesNotHideTheOthers) {
  const std::vector<std::string> all = SimdTargets();
  ForceSimdTarget("scalar");
  EXPECT_EQ(SimdTarget(), "SCALAR");
  EXPECT_EQ(SimdTargets(), all);
}

TEST_F(Simd, UnknownTargetIsAUsageErrorThatNamesTheKnown) {
  try {
    ForceSimdTarget("mmx");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_THAT(error.what(), testing::HasSubstr("'mmx'"));
    EXPECT_THAT(error.advice(), testing::HasSubstr("SCALAR"));
  }
}

}  // namespace
}  // namespace weightsmith
