#include "merge/program/selection.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "core/base/simd.h"
#include "merge/program/tape.h"

namespace weightsmith::internal {
namespace {

std::vector<float> Sample(const std::vector<float>& values) {
  std::vector<float> sample;
  const std::uint64_t tiles = (values.size() + kTile - 1) / kTile;
  const std::uint64_t taken = (SampleSize(values.size()) + kTile - 1) / kTile;
  for (std::uint64_t i = 0; i < taken; ++i) {
    const std::uint64_t first = i * tiles / taken * kTile;
    const std::uint64_t end = std::min<std::uint64_t>(values.size(), first + kTile);
    sample.insert(sample.end(), values.begin() + first, values.begin() + end);
  }
  return sample;
}

struct Selected {
  float value;
  int passes;
};

Selected Select(const std::vector<float>& values, double fraction,
                const std::vector<float>& sample) {
  Selection selection(fraction, values.size());
  selection.Propose(sample);
  int passes = 0;
  for (; !selection.known() && passes < 10; ++passes) {
    selection.Count(values);
    selection.EndPass();
  }
  return {selection.value(), passes};
}

/// By sorting.
float KthLargest(const std::vector<float>& values, double fraction) {
  std::vector<float> magnitudes(values.size());
  std::ranges::transform(values, magnitudes.begin(), [](float v) { return std::abs(v); });
  std::ranges::sort(magnitudes, std::ranges::greater());
  const auto k = static_cast<std::size_t>(fraction * static_cast<double>(values.size()));
  return magnitudes[k - 1];
}

std::vector<float> Normal(std::size_t n, double scale = 1) {
  std::mt19937 random(7);
  std::normal_distribution<double> normal(0, scale);
  std::vector<float> values(n);
  for (float& value : values) value = static_cast<float>(normal(random));
  return values;
}

TEST(Selection, IsWhatSortingGives) {
  for (const std::size_t n : {2u, 100u, 1025u, 20'000u, 400'003u}) {
    const std::vector<float> values = Normal(n, 1e-3);
    for (const double fraction : {0.01, 0.2, 0.5, 0.9, 0.999}) {
      if (fraction * static_cast<double>(n) < 1) continue;
      const Selected found = Select(values, fraction, Sample(values));
      EXPECT_EQ(found.value, KthLargest(values, fraction)) << n << " " << fraction;
      EXPECT_LE(found.passes, 2) << n << " " << fraction;
    }
  }
}

/// More elements lie inside the band than it lists.
TEST(Selection, FindsAmongManyEqualValues) {
  std::vector<float> values = Normal(3'000'000);
  for (float& value : values) value = std::round(value * 4) / 4;
  for (const double fraction : {0.05, 0.3, 0.6, 0.95}) {
    const Selected found = Select(values, fraction, Sample(values));
    EXPECT_EQ(found.value, KthLargest(values, fraction)) << fraction;
    EXPECT_LE(found.passes, 2) << fraction;
  }
}

/// As of a model in f16, most of whose values are those of another.
TEST(Selection, FindsTheLimitOfMostlyZeros) {
  std::vector<float> values = Normal(2'000'000);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i % 16 != 0) values[i] = 0;
  }
  for (const double fraction : {0.01, 0.05, 0.5}) {
    const Selected found = Select(values, fraction, Sample(values));
    EXPECT_EQ(found.value, KthLargest(values, fraction)) << fraction;
  }
}

TEST(Selection, ASampleOfAllElementsIsTheResult) {
  const std::vector<float> values = Normal(1000);
  EXPECT_EQ(Select(values, 0.3, values).passes, 0);
}

TEST(Selection, DoesNotDependOnTheSample) {
  const std::vector<float> values = Normal(100'000);
  const float expected = KthLargest(values, 0.2);
  for (const float wrong : {0.0f, 1e-30f, 1e-3f, 100.0f, 3e38f}) {
    const std::vector<float> sample(5000, wrong);
    const Selected found = Select(values, 0.2, sample);
    EXPECT_EQ(found.value, expected) << wrong;
    EXPECT_LE(found.passes, 4) << wrong;
  }
  EXPECT_EQ(Select(values, 0.2, {}).value, expected);
}

TEST(Selection, OfEqualAndFewValues) {
  std::vector<float> values(50'000, 0.0f);
  EXPECT_EQ(Select(values, 0.5, Sample(values)).value, 0);
  for (std::size_t i = 0; i < values.size(); i += 3) values[i] = i % 2 == 0 ? 0.5f : -0.25f;
  for (const double fraction : {0.1, 0.2, 0.3, 0.6}) {
    EXPECT_EQ(Select(values, fraction, Sample(values)).value, KthLargest(values, fraction))
        << fraction;
  }
}

TEST(Selection, IsTheSameOnEveryInstructionSet) {
  const std::vector<float> values = Normal(50'000);
  const float expected = KthLargest(values, 0.3);
  for (const std::string& target : SimdTargets()) {
    ForceSimdTarget(target);
    EXPECT_EQ(Select(values, 0.3, Sample(values)).value, expected) << target;
  }
  ForceSimdTarget("");
}

/// As both ends of what is kept: found in the same passes, from one sample.
TEST(Selection, SeveralOfOneSampleAreWhatSortingGives) {
  std::vector<float> values = Normal(300'001, 1e-3);
  for (std::size_t i = 0; i < values.size(); i += 3) values[i] = 0;
  const std::vector<double> fractions = {0.01, 0.0, 0.31, 0.3101, 0.6, 0.9, 1.0};
  for (const std::vector<float>& sample : {Sample(values), values, std::vector<float>()}) {
    std::deque<Selection> selections;
    std::vector<Selection*> all;
    for (const double fraction : fractions) {
      all.push_back(&selections.emplace_back(fraction, values.size()));
    }
    Selection::ProposeAll(all, sample);
    for (int pass = 0; pass < 4; ++pass) {
      for (Selection& selection : selections) {
        selection.Count(values);
        selection.EndPass();
      }
    }
    EXPECT_TRUE(std::isnan(selections[1].value()));
    EXPECT_EQ(selections.back().value(), 0);
    for (const std::size_t i : {0, 2, 3, 4, 5}) {
      ASSERT_TRUE(selections[i].known()) << fractions[i] << " " << sample.size();
      EXPECT_EQ(selections[i].value(), KthLargest(values, fractions[i])) << fractions[i];
    }
  }
}

/// Of 64 values at a time none, some and all lie inside; and some behind the last 64.
TEST(Selection, CountsBandsOfAnyDensityOnEveryInstructionSet) {
  for (const std::size_t n : {63u, 64u, 65u, 127u, 1024u, 1025u, 5000u}) {
    std::vector<float> values = Normal(n);
    for (std::size_t i = 0; i < n; ++i) {
      if (i / 64 % 3 == 1) values[i] = i % 2 == 0 ? 1.0f : -1.0f;
      if (i / 64 % 3 == 2) values[i] = 0;
    }
    // The band is about the values of the sample.
    const std::vector<float> sample = {1.0f, -0.5f, 1.0f, 0.25f, 1.0f, -1.0f, 2.0f, 0.0f};
    for (const double fraction : {0.05, 0.2, 0.4, 0.6, 0.97}) {
      const float expected = KthLargest(values, fraction);
      for (const std::string& target : SimdTargets()) {
        ForceSimdTarget(target);
        EXPECT_EQ(Select(values, fraction, sample).value, expected)
            << target << " " << fraction << " of " << n;
      }
    }
  }
  ForceSimdTarget("");
}

TEST(Selection, NoneAndAll) {
  const std::vector<float> values = Normal(100);
  EXPECT_TRUE(std::isnan(Select(values, 0, values).value));
  EXPECT_TRUE(std::isnan(Select(values, 0.009, values).value));
  EXPECT_EQ(Select(values, 1, values).value, 0);
  EXPECT_EQ(Select(values, 1, values).passes, 0);
}

TEST(Selection, ANanIsAboveInfinity) {
  std::vector<float> values = Normal(100'000);
  for (std::size_t i = 0; i < 1000; ++i) values[i] = std::numeric_limits<float>::quiet_NaN();
  for (std::size_t i = 1000; i < 2000; ++i) values[i] = -std::numeric_limits<float>::infinity();
  const std::vector<float> sample(values.begin() + 50'000, values.begin() + 60'000);
  EXPECT_EQ(Select(values, 0.005, sample).value, std::numeric_limits<float>::infinity());
  EXPECT_EQ(Select(values, 0.015, sample).value, std::numeric_limits<float>::infinity());
  EXPECT_LT(Select(values, 0.025, sample).value, 10);
}

}  // namespace
}  // namespace weightsmith::internal
