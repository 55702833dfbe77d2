#include "merge/operator.h"

namespace weightsmith::internal::operators {
namespace {

/// Above this cosine the angle says nothing, and the tensors are blended on the straight line.
constexpr double kParallel = 0.9995;
/// Above this one, two directions are one.
constexpr double kOneDirection = 1 - 1e-12;
/// A tensor of a smaller norm has no direction.
constexpr double kNoNorm = 1e-8;

struct Lengths {
  Scalar a;
  Scalar b;
};

/// Slerp of the directions, with the length that blends those of both; the straight line where
/// there are no two directions, or opposite ones.
Value BlendApart(Lowering& tape, const Lengths& lengths, double t, Value a, Value b) {
  const double rest = tape.Difference(1, t);
  const Scalar product = tape.Times(lengths.a, lengths.b);
  const Scalar cosine = tape.Over(tape.Dot(a, b), product);
  const Scalar angle = tape.ArcCosine(cosine);
  const Scalar length = tape.Plus(tape.Times(rest, lengths.a), tape.Times(t, lengths.b));
  const Scalar least = tape.Lesser(lengths.a, lengths.b);
  const auto share = [&](double part, Scalar own) {
    const Scalar arc = tape.Over(tape.Sine(tape.Times(part, angle)), tape.Sine(angle));
    const Scalar scaled = tape.Times(arc, tape.Over(length, own));
    const Scalar near = tape.Select(cosine, kOneDirection, scaled, part);
    return tape.Select(kNoNorm, least, tape.Select(-kParallel, cosine, near, part), part);
  };
  return tape.Blend(share(rest, lengths.a), a, share(t, lengths.b), b);
}

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
  if (given.parameters.Word("length") == "blend") {
    tape.TellIfAny("opposite", tape.Select(cosine, -kParallel, 1, 0));
    return BlendApart(tape, {tape.Norm(a), tape.Norm(b)}, t, a, b);
  }
  tape.TellIfAny("parallel", tape.Select(kParallel, cosine, 1, 0));
  tape.TellIfAny("opposite", tape.Select(cosine, -kParallel, 1, 0));
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
          "Where the norms of a tensor differ, its longer model bends the arc, as mergekit has it. "
          "With `length: blend`, as sd-mecha has it, the direction goes along the arc between the "
          "two directions and the norm from the one to the other, each by alpha; parallel ones "
          "need no straight line then, opposite ones do, and a tensor of zeros makes a weighted "
          "sum. For tensors of equal norm both are the same.",
      .formula =
          "(sin((1 - alpha)*w)*a + sin(alpha*w)*b) / sin(w), w the angle between a and b; with "
          "length: blend a/|a|, b/|b| in their place, and all times (1 - alpha)*|a| + alpha*|b|",
      .source = "Shoemake, 1985; mergekit's slerp; with length: blend sd-mecha's",
      .example = "mix: {op: slerp, a: photo, b: anime, alpha: 0.3}",
      .uses = {"blend two models without washing them out", "smooth blend of two models"},
      .operands = {{.name = "a", .doc = "What alpha 0 gives."},
                   {.name = "b", .doc = "What alpha 1 gives."}},
      .parameters = {{.name = "alpha",
                      .by_place = true,
                      .low = -10,
                      .high = 10,
                      .doc = "How far along the arc from a to b."},
                     {.name = "length",
                      .type = ParameterType::kWord,
                      .default_value = 0,
                      .words = {"arc", "blend"},
                      .doc = "Whether norms follow from the arc or are blended by themselves."}},
      .lower = LowerSlerp,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
