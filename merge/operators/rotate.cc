#include "merge/operator.h"
#include "merge/program/matrix.h"
#include "merge/program/rotation.h"

namespace weightsmith::internal::operators {
namespace {

Value LowerRotate(Lowering& tape, const Arguments& given) {
  const Value a = given.operands[0];
  const Value b = given.operands[1];
  const double alignment = given.parameters.Number("alignment");
  const double alpha = given.parameters.Number("alpha");
  if (a == b || (alignment == 0 && alpha == 0)) return a;
  if (alignment == 1 && alpha == 1) return b;
  if (given.shape.size() == 1) return tape.Blend(tape.Difference(1, alpha), a, alpha, b);
  const std::array<Value, 2> both = {a, b};
  const Value turned =
      tape.Transformed(RotatedTowards(), both,
                       {.alignment = alignment,
                        .alpha = alpha,
                        .centralisation = given.parameters.Number("centralization")});
  tape.Tell("turned by", tape.Degrees(tape.ToldBy(turned, 0)), Unit::kDegrees);
  tape.TellIfAny("not finite", tape.ToldBy(turned, kToldNotFinite));
  return turned;
}

}  // namespace

const Operator& rotate() {
  static const Operator declaration{
      .name = "rotate",
      .summary = "Turns one model's matrices towards another's, and keeps what turning cannot do.",
      .doc =
          "Of every matrix, the orthogonal matrix on its right is computed that brings a nearest "
          "to "
          "b, and a is turned by it: its inner geometry stays, its position in the space of inputs "
          "becomes that of b. An alignment between 0 and 1 turns a part of the way. Alpha is how "
          "much of b, turned back, is mixed into a before it is turned: the share of what is not a "
          "turn. At alignment and alpha 0 the result is a, at 1 it is b, byte for byte. Before it "
          "all, the mean of the rows is taken off both, as far as centralization says, and "
          "interpolated by the alignment. Rows are the outputs of a linear layer, and the kernels "
          "of a convolution, where they are larger than 1. What is no matrix is interpolated by "
          "alpha. Tensors are held whole.\n\n"
          "Where there are fewer rows than columns, only the directions that both models have are "
          "turned; in between they are interpolated and made orthogonal, where sd-mecha takes the "
          "way of a manifold, and it adds a part of a that was not turned. Directions of which the "
          "models say nothing are turned as little as can be, in sd-mecha as chance has it. A turn "
          "by half a circle has no middle; the real part of the power is taken.",
      .formula =
          "(a_c + alpha*(b_c*T' - a_c))*T^alignment + mean, T = polar(a_c'*b_c), x_c = x - "
          "centralization*mean of its rows",
      .source = "Schönemann, 1966; sd-mecha's rotate",
      .example = "mix: {op: rotate, a: photo, b: anime, alignment: 0.5, alpha: 0.2}",
      .uses = {"style transfer", "merge models that are far apart", "keep composition"},
      .operands = {{.name = "a", .doc = "What is turned."}, {.name = "b", .doc = "Towards what."}},
      .parameters = {{.name = "alignment",
                      .default_value = 1.0,
                      .by_place = true,
                      .low = 0,
                      .high = 1,
                      .doc = "How far a is turned."},
                     {.name = "alpha",
                      .default_value = 0.0,
                      .by_place = true,
                      .low = 0,
                      .high = 1,
                      .doc = "How far what is no turn goes from a to b."},
                     {.name = "centralization",
                      .default_value = 1.0,
                      .by_place = true,
                      .low = 0,
                      .high = 1,
                      .doc = "How far the means of rows are left out of it."}},
      .lower = LowerRotate,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
