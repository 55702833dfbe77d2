#include "core/base/simd.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>

#include "core/base/error.h"

namespace weightsmith::internal {
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
  std::string lower = all.back();
  for (char& c : lower) c = static_cast<char>(std::tolower(c));
  ForceSimdTarget(lower);
  EXPECT_EQ(SimdTarget(), all.back());
  EXPECT_EQ(SimdTargets(), all);
}

TEST_F(Simd, UnknownTargetIsAUsageErrorThatNamesTheKnown) {
  try {
    ForceSimdTarget("mmx");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_THAT(error.what(), testing::HasSubstr("'mmx'"));
    EXPECT_THAT(error.advice(), testing::HasSubstr(SimdTargets().back()));
  }
}

}  // namespace
}  // namespace weightsmith::internal
