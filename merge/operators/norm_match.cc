#include "merge/operator.h"

namespace weightsmith::internal::operators {
namespace {

/// A tensor of a smaller norm has no direction, and stays what it is.
constexpr double kNoDirection = 1e-8;

Value LowerNormMatch(Lowering& tape, const Arguments& given) {
  const Value a = given.operands[0];
  const Value b = given.operands[1];
  const double t = tape.Round(given.parameters.Number("alpha"));
  if (t == 0 || a == b) return b;
  const Scalar own = tape.Norm(b);
  const Scalar norm =
      tape.Plus(tape.Times(tape.Difference(1, t), own), tape.Times(t, tape.Norm(a)));
  const Scalar factor = tape.Select(kNoDirection, own, tape.Over(norm, own), 1);
  tape.Tell("factor", factor);
  return tape.Scale(factor, b);
}

}  // namespace

const Operator& norm_match() {
  static const Operator declaration{
      .name = "norm_match",
      .summary = "Scales one model to the norms of another, tensor by tensor.",
      .doc =
          "Every tensor keeps the direction that it has in b and gets the length that it has in a. "
          "Between alpha 0 and 1 its norm is interpolated on the straight line. At alpha 0 the "
          "result is b, byte for byte; a tensor of b that is zero stays so.",
      .formula = "(((1 - alpha)*|b| + alpha*|a|) / |b|)*b, |x| the norm of the tensor",
      .source = "Norm transfer (weight rescaling)",
      .example = "mix: {op: norm_match, a: photo, b: anime, alpha: 1}",
      .uses = {"restore contrast after a merge", "repair washed out colours",
               "match the strength of another model"},
      .operands = {{.name = "a", .doc = "Gives the norms."},
                   {.name = "b", .doc = "What is scaled to them."}},
      .parameters = {{.name = "alpha",
                      .by_place = true,
                      .low = 0,
                      .high = 1,
                      .doc = "How far from the norm of b to that of a."}},
      .lower = LowerNormMatch,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
