#include "merge/arithmetic/karcher_mean.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace weightsmith::internal {
namespace {

using ::testing::DoubleNear;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsNan;

using Vectors = std::vector<std::vector<double>>;

std::vector<double> NumbersOf(const ScalarFunction& function, const Vectors& vectors) {
  std::vector<double> in{10, 1e-5};
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      double product = 0;
      for (std::size_t k = 0; k < vectors[i].size(); ++k) product += vectors[i][k] * vectors[j][k];
      in.push_back(product);
    }
  }
  std::vector<double> numbers;
  for (std::size_t i = 0; i < vectors.size(); ++i) numbers.push_back(function.compute(in, i));
  return numbers;
}

std::vector<double> Factors(const Vectors& vectors) {
  return NumbersOf(KarcherFactors(), vectors);
}

TEST(KarcherMean, OfTwoIsTheMiddleOfTheArc) {
  // Unit vectors at 0 and 90 degrees: their middle is at 45, as a sum √½ of each.
  const double half = std::sqrt(0.5);
  EXPECT_THAT(Factors({{1, 0}, {0, 1}}), Each(DoubleNear(half, 1e-12)));
}

TEST(KarcherMean, IsAsLongAsTheyAreOnAverage) {
  const std::vector<double> factors = Factors({{2, 0}, {0, 4}});
  EXPECT_NEAR(std::hypot(2 * factors[0], 4 * factors[1]), 3, 1e-12);
}

TEST(KarcherMean, OfOneDirectionIsThat) {
  EXPECT_THAT(Factors({{1, 2}, {2, 4}}),
              ElementsAre(DoubleNear(0.75, 1e-12), DoubleNear(0.375, 1e-12)));
}

TEST(KarcherMean, OfOppositeDirectionsIsTheFirst) {
  EXPECT_THAT(Factors({{1, 2}, {-1, -2}}), ElementsAre(DoubleNear(1, 1e-12), 0));
}

TEST(KarcherMean, CountsWhatHasNoDirectionAsALength) {
  EXPECT_THAT(Factors({{1, 0}, {0, 0}}), ElementsAre(0.5, 0));
  EXPECT_THAT(Factors({{0, 0}, {0, 0}}), Each(0));
}

TEST(KarcherMean, HasAnAngleToEach) {
  const double quarter = std::acos(-1.0) / 4;
  EXPECT_THAT(NumbersOf(KarcherAngles(), {{1, 0}, {0, 3}}), Each(DoubleNear(quarter, 1e-12)));
  EXPECT_THAT(NumbersOf(KarcherAngles(), {{1, 0}, {0, 0}}), ElementsAre(0, IsNan()));
  EXPECT_THAT(NumbersOf(KarcherAngles(), {{0, 0}, {0, 0}}), Each(IsNan()));
}

}  // namespace
}  // namespace weightsmith::internal
