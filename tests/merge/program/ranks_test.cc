#include "merge/program/ranks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

namespace weightsmith::internal {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

std::vector<std::uint32_t> SortedRanks(const std::vector<float>& values) {
  std::vector<std::uint32_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(
      order, {}, [&](std::uint32_t i) { return std::abs(static_cast<double>(values[i])); });
  std::vector<std::uint32_t> ranks(values.size());
  for (std::uint32_t rank = 0; rank < order.size(); ++rank) ranks[order[rank]] = rank;
  return ranks;
}

std::vector<float> Ranked(const std::vector<float>& values, const Shape& shape, RankedIn in) {
  std::vector<float> out(values.size());
  const std::span<const float> input = values;
  Ranks().compute(std::span(&input, 1), shape, {.in = in}, out, [] {}, {});
  return out;
}

/// The ranks of two or more values among all, from 0 on.
std::vector<std::uint32_t> RanksOf(const std::vector<float>& values) {
  std::vector<std::uint32_t> ranks;
  const auto most = static_cast<double>(values.size() - 1);
  for (const float share : Ranked(values, {values.size()}, RankedIn::kTensor)) {
    ranks.push_back(static_cast<std::uint32_t>(std::llround(share * most)));
  }
  return ranks;
}

TEST(Ranks, AreByMagnitudeAndThenByIndex) {
  EXPECT_THAT(RanksOf({3, -1, 2, 1, -3, 0}), ElementsAre(4, 1, 3, 2, 5, 0));
  EXPECT_THAT(RanksOf({0, -0.0f, 0}), ElementsAre(0, 1, 2));
}

TEST(Ranks, PutWhatIsNotFiniteAbove) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kLeast = std::numeric_limits<float>::denorm_min();
  EXPECT_THAT(RanksOf({kNan, -kInf, std::numeric_limits<float>::max(), kLeast, 0}),
              ElementsAre(4, 3, 2, 1, 0));
}

TEST(Ranks, AreThoseOfASort) {
  std::mt19937 random(5);
  for (const std::size_t n : {2u, 23u, 33u, 1000u, 70'000u}) {
    for (const int kind : {0, 1, 2, 3, 4, 5, 6, 7}) {
      SCOPED_TRACE(kind);
      std::vector<float> values(n);
      for (float& value : values) {
        const auto draw = random();
        const auto signed_draw = static_cast<float>(static_cast<std::int32_t>(draw));
        // Few values, which have many equals; weights; every exponent; tiny ones; weights beside
        // a huge one; what vanishes in shares of the largest; and multiples with others among
        // them, between all or between two.
        value =
            kind == 0   ? static_cast<float>(static_cast<int>(draw % 7) - 3)
            : kind == 2 ? std::ldexp(signed_draw, static_cast<int>(draw % 200) - 130)
            : kind == 3 ? static_cast<float>(draw % 5000) * std::numeric_limits<float>::denorm_min()
            : kind == 5 ? std::ldexp(signed_draw, -140)
            : kind == 6 ? std::ldexp(std::round(signed_draw * 0x1p-20f), draw % 8 == 0 ? -6 : -2)
            : kind == 7 ? (draw % 8 == 0 ? 5 + std::abs(signed_draw) * 0x1p-32f
                                         : static_cast<float>(draw % 1000))
                        : signed_draw * 0x1p-36f;
      }
      if (kind == 4) values[n / 2] = 1e30f;
      if (kind == 5) values[n / 2] = 0x1p127f;
      EXPECT_EQ(RanksOf(values), SortedRanks(values));
    }
  }
}

TEST(Ranks, AreSharesOfTheLargestInEachRow) {
  EXPECT_THAT(Ranked({1, -5, 3, 9, 8, 7}, {2, 3}, RankedIn::kRow),
              ElementsAre(0, 1, 0.5, 1, 0.5, 0));
  EXPECT_THAT(Ranked({1, -5, 3, 9, 8, 7}, {6}, RankedIn::kRow),
              ElementsAre(0, 0.4f, 0.2f, 1, 0.8f, 0.6f));
  EXPECT_THAT(Ranked({4, 3, 2, 1, 9, 8, 7, 6}, {2, 2, 2}, RankedIn::kRow),
              ElementsAre(1, static_cast<float>(2.0 / 3), static_cast<float>(1.0 / 3), 0, 1,
                          static_cast<float>(2.0 / 3), static_cast<float>(1.0 / 3), 0));
}

TEST(Ranks, RunAlongTheSecondDimension) {
  EXPECT_THAT(Ranked({4, 3, 2, 9, 1, 1, 8, 0}, {2, 2, 2}, RankedIn::kColumn),
              ElementsAre(1, 0, 0, 1, 0, 1, 1, 0));
  // Of a matrix that is the row.
  EXPECT_THAT(Ranked({1, -5, 3, 9, 8, 7}, {2, 3}, RankedIn::kColumn),
              ElementsAre(0, 1, 0.5, 1, 0.5, 0));
}

TEST(Ranks, AreThoseOfASortInEachColumn) {
  constexpr std::size_t kColumns = 40;
  constexpr std::size_t kApart = 5;
  std::mt19937 random(3);
  std::vector<float> values(2 * kColumns * kApart);
  for (float& value : values) {
    value = static_cast<float>(static_cast<int>(random() % 400) - 200);
    if (random() % 8 == 0) value /= 64;
  }
  const std::vector<float> ranked = Ranked(values, {2, kColumns, kApart}, RankedIn::kColumn);
  for (const std::size_t first : {0u, 1u, 4u, 200u, 204u}) {
    std::vector<float> line;
    std::vector<std::uint32_t> ranks;
    for (std::size_t i = 0; i < kColumns; ++i) {
      line.push_back(values[first + i * kApart]);
      ranks.push_back(static_cast<std::uint32_t>(
          std::llround(ranked[first + i * kApart] * static_cast<float>(kColumns - 1))));
    }
    EXPECT_EQ(ranks, SortedRanks(line));
  }
}

// A line of few multiples is followed by some that are not looked at for them.
TEST(Ranks, OfLinesDependOnNoOtherLine) {
  constexpr std::size_t kLength = 100;
  std::mt19937 random(4);
  std::vector<float> values(40 * kLength);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto draw = static_cast<float>(random());
    values[i] = i / kLength % 20 < 3 ? draw : std::floor(draw * 0x1p-25f);
  }
  const std::vector<float> ranked = Ranked(values, {40, kLength}, RankedIn::kRow);
  for (std::size_t first = 0; first < values.size(); first += kLength) {
    const std::vector<float> line(values.begin() + first, values.begin() + first + kLength);
    const std::vector<float> alone = Ranked(line, {kLength}, RankedIn::kTensor);
    EXPECT_TRUE(std::equal(alone.begin(), alone.end(), ranked.begin() + first));
  }
}

TEST(Ranks, AreFoundRowByRowWhereRowsHoldTheirLines) {
  std::mt19937 random(9);
  for (const Shape& shape : {Shape{7, 300}, Shape{5, 40, 3, 3}, Shape{3, 70'001}, Shape{900}}) {
    std::vector<float> values(ElementCount(shape).value());
    for (float& value : values) value = static_cast<float>(random() % 5000) - 2500;
    for (const RankedIn in : {RankedIn::kRow, RankedIn::kColumn}) {
      const RankParameters ranked_in{in};
      const std::uint64_t row = Ranks().by_row(shape, ranked_in).elements;
      EXPECT_EQ(row, shape.size() < 2 ? values.size() : values.size() / shape[0]);
      std::vector<float> ranked = values;
      const auto function = Ranks().rows(shape, ranked_in);
      function->Compute(std::span(ranked).first(row));
      function->Compute(std::span(ranked).subspan(row));
      EXPECT_EQ(ranked, Ranked(values, shape, in));
    }
  }
  EXPECT_EQ(Ranks().by_row({7, 300}, {RankedIn::kTensor}).elements, 0);
  EXPECT_EQ(Ranks().by_row({0, 300}, {RankedIn::kRow}).elements, 0);
}

TEST(Ranks, RunOverTheTensor) {
  EXPECT_THAT(Ranked({1, -5, 3, 9, 8, 7}, {2, 3}, RankedIn::kTensor),
              ElementsAre(0, 0.4f, 0.2f, 1, 0.8f, 0.6f));
}

TEST(Ranks, OfOneElementAreInTheMiddle) {
  EXPECT_THAT(Ranked({3, 4, 5}, {3, 1}, RankedIn::kRow), Each(0.5f));
  EXPECT_THAT(Ranked({3}, {}, RankedIn::kRow), Each(0.5f));
  EXPECT_TRUE(Ranked({}, {0, 4}, RankedIn::kRow).empty());
  EXPECT_TRUE(Ranked({}, {4, 0}, RankedIn::kColumn).empty());
}

}  // namespace
}  // namespace weightsmith::internal
