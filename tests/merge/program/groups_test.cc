#include "merge/program/groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <vector>

namespace weightsmith::internal {
namespace {

using ::testing::ElementsAre;

template <class Real>
std::vector<Real> Kept(std::vector<Real> x, std::size_t keep, std::size_t group) {
  std::vector<Real> out(x.size(), 9);
  KeepLargestOfGroups(std::span<const Real>(x), keep, group, std::span(out));
  KeepLargestOfGroups(std::span<const Real>(x), keep, group, std::span(x));
  EXPECT_EQ(x.size(), out.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    EXPECT_TRUE(x[i] == out[i] || (x[i] != x[i] && out[i] != out[i])) << i;
  }
  return out;
}

TEST(Groups, KeepTheirLargestMagnitudes) {
  EXPECT_THAT(Kept<float>({1, -5, 2, 3, /**/ 0, 0, 7, -8}, 2, 4),
              ElementsAre(0, -5, 0, 3, 0, 0, 7, -8));
  EXPECT_THAT(Kept<double>({1, -5, 2, 3, /**/ 4, 0, 7, -8}, 1, 4),
              ElementsAre(0, -5, 0, 0, 0, 0, 0, -8));
}

TEST(Groups, OfEqualMagnitudesKeepTheFirst) {
  EXPECT_THAT(Kept<float>({1, -1, 1, -1}, 2, 4), ElementsAre(1, -1, 0, 0));
}

TEST(Groups, OfTheLastAndSmallerOneKeepAsLargeAShare) {
  EXPECT_THAT(Kept<float>({4, 3, 2, 1, /**/ 1, 2, 3}, 2, 4), ElementsAre(4, 3, 0, 0, 0, 2, 3));
  EXPECT_THAT(Kept<float>({4, 3, 2, 1, /**/ 5}, 1, 4), ElementsAre(4, 0, 0, 0, 5));
}

TEST(Groups, TakeANanForTheLargest) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> kept = Kept<float>({1, infinity, nan, 2}, 1, 4);
  EXPECT_THAT(std::vector<float>({kept[0], kept[1], kept[3]}), ElementsAre(0, 0, 0));
  EXPECT_TRUE(kept[2] != kept[2]);
}

}  // namespace
}  // namespace weightsmith::internal
