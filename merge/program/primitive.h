// What is known of each primitive of a tape, but for its kernel.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "merge/program/tape.h"

namespace weightsmith::internal {

/// How the result comes from the inputs, for the coefficients of a merge.
enum class Linearity : std::uint8_t {
  kConstant,    ///< s: a combination where it is 0
  kWeights,     ///< Σ weight·input; the weights are numbers or scalars, see Primitive::weights
  kSameInputs,  ///< a combination where all inputs are the same one
  kNone,
};

/// The weight of an input: a number, a scalar of the instruction, one less or over it.
enum class Weight : std::uint8_t { kOne, kMinusOne, kFirst, kSecond, kOverFirst, kMinusFirst };

struct Primitive {
  OpCode code = OpCode::kConstant;
  std::size_t inputs = 0;
  Linearity linearity = Linearity::kNone;
  std::array<Weight, 3> weights{};
};

/// All of them, in the order of their codes.
std::span<const Primitive> Primitives();

inline const Primitive& PrimitiveOf(OpCode code) {
  return Primitives()[static_cast<std::size_t>(code)];
}

/// How many registers an instruction reads.
inline std::size_t Inputs(OpCode code) {
  return PrimitiveOf(code).inputs;
}

inline std::span<const Register> Reads(const Instruction& instruction) {
  return std::span(instruction.in).first(Inputs(instruction.code));
}

}  // namespace weightsmith::internal
