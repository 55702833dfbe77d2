#include "merge/program/change.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace weightsmith::internal {
namespace {

const Poll kUnpolled = [] {};

TEST(EnergyLeft, IsTheRatioOfSquares) {
  const std::vector<float> before = {3, -4};
  EXPECT_EQ(EnergyLeft(before, std::vector<float>{0, 5}, kUnpolled), 1);
  EXPECT_EQ(EnergyLeft(before, std::vector<float>{1.5f, -2}, kUnpolled), 0.25);
  EXPECT_TRUE(std::isnan(EnergyLeft(std::vector<float>{0}, std::vector<float>{0}, kUnpolled)));
}

TEST(AngleBetween, IsThatOfVectors) {
  const std::vector<float> before = {2, 0};
  EXPECT_NEAR(AngleBetween(before, std::vector<float>{1, 1}, kUnpolled), std::acos(-1.0) / 4,
              1e-15);
  EXPECT_EQ(AngleBetween(before, std::vector<float>{5, 0}, kUnpolled), 0);
  EXPECT_NEAR(AngleBetween(before, std::vector<float>{-1, 0}, kUnpolled), std::acos(-1.0), 1e-15);
  EXPECT_TRUE(std::isnan(AngleBetween(before, std::vector<float>{0, 0}, kUnpolled)));
}

}  // namespace
}  // namespace weightsmith::internal
