#include "merge/program/nth_largest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <vector>

namespace weightsmith::internal {
namespace {

TEST(NthLargest, IsWhatSortingGives) {
  std::mt19937 random(1);
  for (const std::uint32_t below : {1u, 3u, 5000u, 0x7fffffffu}) {
    std::vector<std::uint32_t> values(1000);
    for (std::uint32_t& value : values) value = static_cast<std::uint32_t>(random() % below);
    std::vector<std::uint32_t> sorted = values;
    std::ranges::sort(sorted, std::ranges::greater());
    const std::vector<std::size_t> places = {0, 999, 500, 501, 500, 3, 999};
    std::vector<std::uint32_t> found(places.size());
    NthLargest(values, places, found);
    for (std::size_t i = 0; i < places.size(); ++i) EXPECT_EQ(found[i], sorted[places[i]]) << below;
  }
}

TEST(NthLargest, OfNothingIsNothing) {
  std::uint32_t found[] = {7};
  const std::size_t place[] = {0};
  NthLargest({}, place, found);
  EXPECT_EQ(found[0], 7u);
}

}  // namespace
}  // namespace weightsmith::internal
