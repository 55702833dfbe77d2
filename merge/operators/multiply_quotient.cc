#include <array>

#include "merge/arithmetic/training.h"

namespace weightsmith::internal::operators {
namespace {

constexpr double kHalfTurnOfQuotient = 0x1.921fb54442d18p+1;

/// How far a has gone from c the other way than b, as an exponent: 0 where they go the same way.
Value OppositeExponent(Lowering& tape, double alpha, Value of_a, Value of_b) {
  const Value larger = tape.Max(tape.Magnitude(of_a), tape.Magnitude(of_b));
  const Value together = tape.Multiply(tape.Quotient(of_a, larger), tape.Quotient(of_b, larger));
  const Value apart = tape.KeepSign(tape.Scale(-1, together), Value::Zero());
  return tape.Scale(alpha, apart);
}

Value LowerMultiplyQuotient(Lowering& tape, const Arguments& given) {
  const auto [a, b, c] = std::array{given.operands[0], given.operands[1], given.operands[2]};
  const double alpha = tape.Round(given.parameters.Number("alpha"));
  if (alpha == 0 || b == c) return a;
  const Value of_c = tape.Logarithm(tape.Magnitude(c));
  const Value from_a = tape.Subtract(tape.Logarithm(tape.Magnitude(a)), of_c);
  const Value from_b = tape.Subtract(tape.Logarithm(tape.Magnitude(b)), of_c);
  const Value exponent = OppositeExponent(tape, alpha, from_a, from_b);
  tape.TellShare("opposite", exponent);
  const Value growth = tape.Exponential(tape.Multiply(exponent, from_b));
  // Where b and c differ in sign their quotient has an angle of half a turn.
  const Value differ =
      tape.WhereNotZero(kHalfTurnOfQuotient, tape.Min(tape.Multiply(b, c), Value::Zero()));
  const Value turned = tape.Multiply(growth, tape.Cosine(tape.Multiply(exponent, differ)));
  return tape.OrElse(tape.Multiply(a, turned), a);
}

}  // namespace

const Operator& multiply_quotient() {
  static const Operator declaration{
      .name = "multiply_quotient",
      .summary = "Multiplies a by how b grew over c, where a itself changed the other way.",
      .doc =
          "Add difference in logarithms: the quotient of b and c, to a power that is "
          "largest where a and b went opposite ways from c and 0 where they went the "
          "same way. Where the quotient is of unlike signs the result is the real "
          "part. Where anything is not defined, by a zero, a stays.",
      .formula =
          "Re(a*(b/c)^t), t = alpha*max(0, -p*q/max(|p|, |q|)^2), p = ln|a/c|, q = "
          "ln|b/c|",
      .source = "sd-mecha's multiply_quotient",
      .example = "style: {op: multiply_quotient, a: photo, b: anime, c: base, alpha: 1}",
      .uses = {"style transfer", "add a fine-tune in proportion"},
      .operands = ModelAndTraining(),
      .result = Kind::kWeight,
      .parameters = {{.name = "alpha",
                      .by_place = true,
                      .low = 0,
                      .high = 10,
                      .doc = "How much of the training."}},
      .lower = LowerMultiplyQuotient,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
