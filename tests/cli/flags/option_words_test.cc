#include "cli/flags/option_words.h"

#include <gtest/gtest.h>

namespace weightsmith::internal {
namespace {

TEST(OptionWords, FollowTheAdvice) {
  const Error error(ErrorCode::kUsage, "'a' exists", "Choose another name.",
                    {Option::kOverwrite, Option::kMakeFolders});
  EXPECT_EQ(AdviceOf(error),
            "Choose another name. --force replaces it. --mkdir makes missing folders.");
}

TEST(OptionWords, StandAloneWithoutAdvice) {
  EXPECT_EQ(AdviceOf(Error(ErrorCode::kUsage, "'a' exists", {}, {Option::kOverwrite})),
            "--force replaces it.");
  EXPECT_EQ(AdviceOf(Error(ErrorCode::kUsage, "'a' exists")), "");
}

}  // namespace
}  // namespace weightsmith::internal
