#include "merge/operator.h"

namespace weightsmith::internal::operators {
namespace {

/// A tensor of a smaller norm has no direction.
constexpr double kNoNormalizedLength = 1e-8;

Value LowerNormalizedSum(Lowering& tape, const Arguments& given) {
  const Value a = given.operands[0];
  const Value b = given.operands[1];
  const double t = tape.Round(given.parameters.Number("alpha"));
  if (t == 0 || a == b) return a;
  if (t == 1) return b;
  const double rest = tape.Difference(1, t);
  const Scalar of_a = tape.Norm(a);
  const Scalar of_b = tape.Norm(b);
  const auto share = [&](double part, Scalar norm) {
    return tape.Select(kNoNormalizedLength, norm, tape.Over(part, norm), 0);
  };
  const Value direction = tape.Blend(share(rest, of_a), a, share(t, of_b), b);
  const Scalar norm = tape.Norm(direction);
  tape.Tell("length of the mean direction", norm);
  const Scalar length = tape.Plus(tape.Times(rest, of_a), tape.Times(t, of_b));
  return tape.Scale(tape.Select(kNoNormalizedLength, norm, tape.Over(length, norm), 0), direction);
}

}  // namespace

const Operator& normalized_sum() {
  static const Operator declaration{
      .name = "normalized_sum",
      .summary = "Blends directions and lengths of two models apart, tensor by tensor.",
      .doc =
          "The direction is that of the blend of both tensors at norm 1, the length "
          "is the blend of their norms: much like slerp, but on the straight line. Of "
          "opposite tensors at alpha 0.5 nothing is left. At alpha 0 the result is a, "
          "at 1 it is b, byte for byte.",
      .formula =
          "(((1 - alpha)*|a| + alpha*|b|) / |d|)*d, d = (1 - alpha)*a/|a| + "
          "alpha*b/|b|",
      .source = "Chattiori, NORM",
      .example = "mix: {op: normalized_sum, a: photo, b: anime, alpha: 0.3}",
      .uses = {"blend two models", "keep contrast while blending"},
      .operands = {{.name = "a", .doc = "What alpha 0 gives."},
                   {.name = "b", .doc = "What alpha 1 gives."}},
      .parameters =
          {{.name = "alpha", .by_place = true, .low = 0, .high = 1, .doc = "Share of b."}},
      .lower = LowerNormalizedSum,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
