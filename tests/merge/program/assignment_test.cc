#include "merge/program/assignment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace weightsmith::internal {
namespace {

double GainOf(const Matrix& gain, const std::vector<std::size_t>& columns) {
  double sum = 0;
  for (std::size_t i = 0; i < columns.size(); ++i) sum += gain.at(i, columns[i]);
  return sum;
}

TEST(BestAssignment, GainsAsMuchAsAnyPermutation) {
  for (std::size_t size = 0; size <= 6; ++size) {
    for (std::size_t seed = 0; seed < 20; ++seed) {
      Matrix gain(size, size);
      for (std::size_t i = 0; i < gain.values.size(); ++i) {
        // Some of few values, so that many are equal.
        gain.values[i] = static_cast<double>((i + seed * 31) * 2654435761u % (seed % 2 ? 4 : 1009));
      }
      std::vector<std::size_t> columns(size);
      std::iota(columns.begin(), columns.end(), std::size_t{0});
      double most = GainOf(gain, columns);
      while (std::ranges::next_permutation(columns).found) {
        most = std::max(most, GainOf(gain, columns));
      }
      std::vector<std::size_t> found = BestAssignment(gain, [] {});
      EXPECT_EQ(GainOf(gain, found), most);
      std::ranges::sort(found);
      EXPECT_EQ(found, columns);  // which are sorted again
    }
  }
}

}  // namespace
}  // namespace weightsmith::internal
