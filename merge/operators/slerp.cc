#include "merge/operator.h"

namespace weightsmith::internal::operators {
namespace {

/// Above this cosine the angle says nothing, and the tensors are blended on the straight line.
constexpr double kParallel = 0.9995;
/// A tensor of a smaller norm has no direction.
constexpr double kNoNorm = 1e-8;

Value LowerSlerp(Lowering& tape, const Arguments& given) {
  const Value a = given.operands[0];
  const Value b = given.operands[1];
  const double t = tape.Round(given.parameters.Number("alpha"));
  if (t == 0 || a == b) return a;
  if (t == 1) return b;
  const auto length = [&](Value x) {
    const Scalar norm = tape.Norm(x);
    return tape.Select(kNoNorm, norm, norm, 1);
  };
  const Scalar cosine = tape.Over(tape.Dot(a, b), tape.Times(length(a), length(b)));
  const Scalar angle = tape.ArcCosine(cosine);
  tape.Tell("angle", tape.Degrees(tape.ArcCosine(tape.Lesser(tape.Greater(cosine, -1), 1))),
            Unit::kDegrees);
  const auto share = [&](double part) {
    const Scalar arc = tape.Over(tape.Sine(tape.Times(part, angle)), tape.Sine(angle));
    return tape.Select(kParallel, tape.Magnitude(cosine), part, arc);
  };
  return tape.Blend(share(tape.Difference(1, t)), a, share(t), b);
}

}  // namespace

const Operator& slerp() {
  static const Operator declaration{
      .name = "slerp",
      .summary = "Blends two models along the arc between them, tensor by tensor.",
      .doc =
          "Where a blend on the straight line of two models that point in different directions is "
          "shorter than both, this one keeps its length. Every tensor is one vector. Tensors that "
          "are parallel or opposite (a cosine above 0.9995 or below -0.9995) are blended on the "
          "straight line, as weighted_sum does; a tensor of zeros has a right angle to any other. "
          "At alpha 0 the result is a, at 1 it is b, byte for byte.\n\n"
          "sd-mecha also interpolates the norms; this does not. For tensors of equal norm the "
          "results agree.",
      .formula = "(sin((1 - alpha)*w)*a + sin(alpha*w)*b) / sin(w), w the angle between a and b",
      .source = "Shoemake, 1985; mergekit's slerp",
      .example = "mix: {op: slerp, a: photo, b: anime, alpha: 0.3}",
      .uses = {"blend two models without washing them out", "smooth blend of two models"},
      .operands = {{.name = "a", .doc = "What alpha 0 gives."},
                   {.name = "b", .doc = "What alpha 1 gives."}},
      .parameters = {{.name = "alpha",
                      .by_place = true,
                      .low = -10,
                      .high = 10,
                      .doc = "How far along the arc from a to b."}},
      .lower = LowerSlerp,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
