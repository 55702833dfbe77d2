#include "merge/program/primitive.h"

namespace weightsmith::internal {
namespace {

using enum Weight;

constexpr Primitive kPrimitives[] = {
    {OpCode::kConstant, 0, Linearity::kConstant},
    {OpCode::kScale, 1, Linearity::kWeights, {kFirst}},
    {OpCode::kDivide, 1, Linearity::kWeights, {kOverFirst}},
    {OpCode::kAdd, 2, Linearity::kWeights, {kOne, kOne}},
    {OpCode::kSubtract, 2, Linearity::kWeights, {kOne, kMinusOne}},
    {OpCode::kMultiply, 2},
    {OpCode::kBlend, 2, Linearity::kWeights, {kFirst, kSecond}},
    {OpCode::kAddScaled, 2, Linearity::kWeights, {kOne, kFirst}},
    {OpCode::kAddDifference, 3, Linearity::kWeights, {kOne, kFirst, kMinusFirst}},
    {OpCode::kTrainDifference, 3},
    {OpCode::kMin, 2},
    {OpCode::kMax, 2},
    {OpCode::kMagnitude, 1},
    {OpCode::kSquareRoot, 1},
    {OpCode::kOrElse, 2},
    {OpCode::kExponential, 1},
    {OpCode::kLogarithm, 1},
    {OpCode::kHyperbolicTangent, 1},
    {OpCode::kCosine, 1},
    {OpCode::kPower, 1},
    {OpCode::kPowerOf, 2},
    {OpCode::kKeepExtra, 2, Linearity::kSameInputs},
    {OpCode::kQuotient, 2},
    {OpCode::kKeepAtLeast, 1},
    {OpCode::kKeepSign, 2},
    {OpCode::kWhereNotZero, 1},
    {OpCode::kSpread, 0},
    {OpCode::kUniform, 0},
    {OpCode::kNormal, 0},
    {OpCode::kKeepBelow, 3},
    {OpCode::kKeepAtMost, 1},
    {OpCode::kChoose, 3},
    {OpCode::kSign, 1},
    {OpCode::kKeepLargest, 1},
};

constexpr bool InOrder() {
  for (std::size_t i = 0; i < std::size(kPrimitives); ++i) {
    if (static_cast<std::size_t>(kPrimitives[i].code) != i) return false;
  }
  return true;
}
static_assert(InOrder());

}  // namespace

std::span<const Primitive> Primitives() {
  return kPrimitives;
}

}  // namespace weightsmith::internal
