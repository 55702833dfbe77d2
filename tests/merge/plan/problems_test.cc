#include "merge/plan/problems.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace weightsmith::internal {
namespace {

using ::testing::HasSubstr;

std::string MessageOf(const Problems& problems) {
  try {
    problems.ThrowIfAny();
  } catch (const Error& error) {
    return error.message();
  }
  return "";
}

TEST(Problems, TellsSomeOfVeryMany) {
  Problems problems;
  for (int i = 0; i < 10'000; ++i) problems.Add("problem " + std::to_string(i));
  const std::string message = MessageOf(problems);
  EXPECT_EQ(std::ranges::count(message, '\n'), 50);
  EXPECT_THAT(message, HasSubstr("and 9950 problems more"));
}

TEST(Problems, TellsAllOfFew) {
  Problems problems;
  problems.Add("first");
  problems.Add("second", "tensor");
  EXPECT_EQ(MessageOf(problems), "first\nsecond: tensor");
}

}  // namespace
}  // namespace weightsmith::internal
