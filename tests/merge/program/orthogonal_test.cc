#include "merge/program/orthogonal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace weightsmith::internal {
namespace {

const Poll kPollIdle = [] {};

Matrix Turned(double degrees) {
  Matrix turn(2, 2);
  const double angle = degrees * 3.14159265358979323846 / 180;
  turn.at(0, 0) = turn.at(1, 1) = std::cos(angle);
  turn.at(0, 1) = std::sin(angle);
  turn.at(1, 0) = -std::sin(angle);
  return turn;
}

void ExpectNear(const Matrix& a, const Matrix& b, double limit) {
  ASSERT_EQ(a.values.size(), b.values.size());
  for (std::size_t i = 0; i < a.values.size(); ++i) EXPECT_NEAR(a.values[i], b.values[i], limit);
}

TEST(PartOfTurn, IsAPartOfTheAngle) {
  for (const double degrees : {0.0, 1e-6, 30.0, -75.0, 90.0, 179.0}) {
    ExpectNear(PartOfTurn(Turned(degrees), 0.3, kPollIdle), Turned(0.3 * degrees), 1e-9);
  }
}

TEST(NearestTurn, FindsTheTurnBetweenTwo) {
  Matrix a(3, 2);
  a.values = {1, 2, -3, 1, 0.5, 0.25};
  const Matrix b = Multiply(a, Turned(40), kPollIdle);
  ExpectNear(NearestTurn(a, b, false, kPollIdle), Turned(40), 1e-12);
}

TEST(NearestTurn, ThatIsARotationDoesNotReflect) {
  Matrix a(2, 2);
  a.values = {2, 0, 0, 1};
  Matrix b(2, 2);
  b.values = {2, 0, 0, -1};
  const Matrix turn = NearestTurn(a, b, true, kPollIdle);
  EXPECT_NEAR(turn.at(0, 0) * turn.at(1, 1) - turn.at(0, 1) * turn.at(1, 0), 1, 1e-12);
}

TEST(NearestOrthogonal, LeavesDirectionsAloneOfWhichNothingIsSaid) {
  Matrix a(3, 3);
  a.at(0, 0) = 5;
  Matrix identity(3, 3);
  for (std::size_t i = 0; i < 3; ++i) identity.at(i, i) = 1;
  ExpectNear(NearestOrthogonal(a, false, kPollIdle), identity, 1e-12);
}

TEST(WideTurn, BringsOneRowToAnother) {
  Matrix a(1, 3);
  a.values = {2, 0, 0};
  Matrix b(1, 3);
  b.values = {0, 0, 5};
  Matrix expected(1, 3);
  expected.values = {0, 0, 2};
  const WideTurn turn(a, b, kPollIdle);
  ExpectNear(turn.Turn(a, 1, kPollIdle), expected, 1e-12);
  expected.values = {2 * std::sqrt(0.5), 0, 2 * std::sqrt(0.5)};
  ExpectNear(turn.Turn(a, 0.5, kPollIdle), expected, 1e-12);
}

}  // namespace
}  // namespace weightsmith::internal
