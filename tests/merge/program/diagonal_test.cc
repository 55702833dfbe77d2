#include "merge/program/diagonal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace weightsmith::internal {
namespace {

using ::testing::DoubleNear;
using ::testing::Pointwise;

// Rounding in the last sweeps leaves what is half a unit of the largest value, again and again.
// Values are those that LAPACK finds.
TEST(Diagonalise, EndsWhereRoundingMakesAnewWhatSweepsTakeAway) {
  Bidiagonal parts{.diagonal = {-0x1.7eb5c7e6a43e8p+1, 0x1.7e43c0270b084p+1, 0x1.7ec5bacf6ebc6p+1,
                                0x1.7edfc52bb68b5p+1, 0x1.7e0b7fb8447cbp+1, 0x1.7eecd03a2497p+1,
                                0x1.7ecabffd06421p+1, 0x1.7edc10d55c263p+1},
                   .above = {0x1.5f1beebab7e33p-6, -0x1.167763f8e1926p-7, 0x1.8ab445fe30962p-11,
                             -0x1.fd2c80d218e28p-45, 0x1.699ccec1b7625p-6, 0x1.85367a4225926p-9,
                             -0x1.df9588c33dcp-11},
                   .right = Matrix(8, 8)};
  for (std::size_t i = 0; i < 8; ++i) parts.right.at(i, i) = 1;
  Diagonalise(parts, [] {});
  std::ranges::sort(parts.diagonal);
  EXPECT_THAT(parts.diagonal,
              Pointwise(DoubleNear(1e-14),
                        std::vector<double>{2.976569850312125, 2.976569850312126, 2.990227804760075,
                                            2.990227804760079, 2.991328132650341, 2.991328132650342,
                                            2.999896975506414, 2.999896975506414}));
}

}  // namespace
}  // namespace weightsmith::internal
