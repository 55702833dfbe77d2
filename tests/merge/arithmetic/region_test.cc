#include "merge/arithmetic/region.h"

#include <gtest/gtest.h>

namespace weightsmith::internal {
namespace {

void ExpectRegion(const Region& region, std::uint64_t first, std::uint64_t end, bool inverted) {
  EXPECT_EQ(region.first, first);
  EXPECT_EQ(region.end, end);
  EXPECT_EQ(region.inverted, inverted);
}

TEST(Region, BeginsAtTheOffset) {
  ExpectRegion(RegionOf(0.5, 0.25, 8), 2, 6, false);
  ExpectRegion(RegionOf(1, 0, 8), 0, 8, false);
  ExpectRegion(RegionOf(0, 0.5, 8), 4, 4, false);
}

TEST(Region, GoesOnAtTheBeginning) {
  ExpectRegion(RegionOf(0.5, 0.75, 8), 2, 6, true);
}

TEST(Region, MayBeGivenFromItsEnd) {
  ExpectRegion(RegionOf(-0.25, 0.5, 8), 2, 4, false);
  ExpectRegion(RegionOf(0.125, -0.25, 8), 6, 7, false);
}

TEST(Region, RoundsToEvenOrTruncates) {
  ExpectRegion(RegionOf(0.5, 0.25, 10), 2, 8, false);
  ExpectRegion(RegionOf(0.5, 0.25, 10, true), 2, 7, false);
}

TEST(Region, HasAShareOfThePlaces) {
  EXPECT_EQ(ShareOfPlaces({2, 6, false}, 8), 0.5);
  EXPECT_EQ(ShareOfPlaces({2, 4, true}, 8), 0.75);
  EXPECT_EQ(ShareOfPlaces({4, 4, false}, 8), 0);
  EXPECT_EQ(ShareOfPlaces({4, 4, true}, 8), 1);
}

}  // namespace
}  // namespace weightsmith::internal
