#include "merge/program/rank.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "merge/program/selection.h"

namespace weightsmith::internal {
namespace {

using Rule = Rank::Rule;

/// As many passes as it takes; the sample is every `step`-th value.
float SelectRanked(const Rank& rank, const std::vector<float>& values, std::size_t step) {
  std::vector<float> sample;
  for (std::size_t i = 0; i < values.size(); i += step) sample.push_back(values[i]);
  Selection selection(rank, values.size());
  selection.Propose(sample);
  for (int pass = 0; !selection.known() && pass < 10; ++pass) {
    selection.Count(values);
    selection.EndPass();
  }
  EXPECT_TRUE(selection.known());
  return selection.value();
}

/// Magnitudes, the largest first.
std::vector<float> Ordered(const std::vector<float>& values) {
  std::vector<float> magnitudes(values.size());
  std::ranges::transform(values, magnitudes.begin(), [](float v) { return std::abs(v); });
  std::ranges::sort(magnitudes, std::ranges::greater());
  return magnitudes;
}

std::vector<float> NormalValues(std::size_t n, double zeros = 0) {
  std::mt19937 random(11);
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform;
  std::vector<float> values(n);
  for (float& value : values) {
    value = uniform(random) < zeros ? 0.0f : static_cast<float>(normal(random));
  }
  return values;
}

class RanksOfSorted : public ::testing::TestWithParam<std::size_t> {};

TEST_P(RanksOfSorted, AreWhatSortingGives) {
  const std::size_t n = GetParam();
  const std::vector<float> values = NormalValues(n);
  const std::vector<float> ordered = Ordered(values);
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}}) {
    for (const double f : {0.0, 0.25, 0.5, 0.9, 0.9999}) {
      SCOPED_TRACE(std::to_string(f) + " of " + std::to_string(n));
      const auto share = static_cast<std::size_t>(f * static_cast<double>(n));
      const std::size_t smallest = n - std::max<std::size_t>(share, 1);
      EXPECT_EQ(SelectRanked({.rule = Rule::kSmallest, .fraction = f}, values, step),
                ordered[smallest]);
      const std::size_t behind = n - 1 - std::min(share, n - 1);
      EXPECT_EQ(SelectRanked({.rule = Rule::kBehind, .fraction = f}, values, step),
                ordered[behind]);
      const auto below = static_cast<std::size_t>(std::floor(f * static_cast<double>(n - 1)));
      EXPECT_EQ(SelectRanked({.rule = Rule::kQuantile, .fraction = f}, values, step),
                ordered[n - 1 - below]);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(OfManyAndFew, RanksOfSorted,
                         ::testing::Values(std::size_t{1}, std::size_t{2}, std::size_t{3},
                                           std::size_t{100}, std::size_t{50'000}));

TEST(Rank, EndsAreThoseOfWhatIsKept) {
  const std::vector<float> values = NormalValues(1000);
  const std::vector<float> ordered = Ordered(values);
  const auto ends = [&](double kept, double left_out) {
    const auto end = [&](Rule rule) {
      return SelectRanked({.rule = rule, .fraction = kept, .second = left_out}, values, 3);
    };
    return std::pair(end(Rule::kUpperEnd), end(Rule::kLowerEnd));
  };
  EXPECT_EQ(ends(0.5, 0.1), std::pair(ordered[100], ordered[599]));
  EXPECT_EQ(ends(0.5, 0), std::pair(ordered[0], ordered[499]));
  // Of 800 that are kept 300 cannot be left out: 200 are. All reach a limit of 0.
  EXPECT_EQ(ends(0.8, 0.3), std::pair(ordered[200], 0.0f));
  EXPECT_TRUE(std::isnan(ends(0, 0.3).second));
}

TEST(Rank, OfThoseThatAreNotZeroCountsThem) {
  for (const double zeros : {0.0, 0.3, 0.98, 1.0}) {
    const std::vector<float> values = NormalValues(40'000, zeros);
    const std::vector<float> ordered = Ordered(values);
    const auto present =
        static_cast<double>(values.size()) - static_cast<double>(std::ranges::count(values, 0.0f));
    for (const std::size_t step : {std::size_t{1}, std::size_t{5}, std::size_t{20'000}}) {
      const float found = SelectRanked({.rule = Rule::kNotZero, .fraction = 0.25}, values, step);
      const auto k = static_cast<std::size_t>(0.25 * present);
      if (k == 0) {
        EXPECT_TRUE(std::isnan(found)) << zeros;
      } else {
        EXPECT_EQ(found, ordered[k - 1]) << zeros;
      }
    }
  }
}

TEST(Rank, OfNothingIsNone) {
  for (const Rule rule : {Rule::kLargest, Rule::kSmallest, Rule::kBehind, Rule::kQuantile,
                          Rule::kNotZero, Rule::kLowerEnd, Rule::kUpperEnd}) {
    EXPECT_TRUE(std::isnan(SelectRanked({.rule = rule, .fraction = 0.5}, {}, 1)));
  }
}

}  // namespace
}  // namespace weightsmith::internal
