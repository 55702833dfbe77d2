#include <array>
#include <limits>

#include "merge/arithmetic/opposite.h"
#include "merge/operator.h"

namespace weightsmith::internal::operators {
namespace {

/// A change of a smaller norm has no direction.
constexpr double kNoChange = 0x1p-126;

/// x over its norm; zero where that is nothing.
Value DirectionOfChange(Lowering& tape, Value x) {
  const Scalar norm = tape.Norm(x);
  return tape.Divide(x,
                     tape.Select(norm, kNoChange, std::numeric_limits<double>::infinity(), norm));
}

Value LowerEuclideanAddDifference(Lowering& tape, const Arguments& given) {
  const auto [a, b, c] = std::array{given.operands[0], given.operands[1], given.operands[2]};
  const double t = tape.Round(given.parameters.Number("alpha"));
  const double rest = tape.Difference(1, t);
  TellOpposite(tape, tape.Subtract(a, c), tape.Subtract(b, c));
  const Value of_a = DirectionOfChange(tape, tape.Subtract(a, c));
  const Value of_b = DirectionOfChange(tape, tape.Subtract(b, c));
  const Value size =
      tape.SquareRoot(tape.Blend(rest, tape.Multiply(of_a, of_a), t, tape.Multiply(of_b, of_b)));
  const Value sum = tape.Subtract(tape.Blend(rest, a, t, b), c);
  // |x| with the sign of the sum.
  const Value signed_size = tape.Blend(2, tape.KeepSign(size, sum), -1, size);
  const Scalar norm = tape.Norm(signed_size);
  const Scalar length = tape.Select(0, norm, tape.Over(tape.Norm(sum), norm), 0);
  return tape.AddScaled(c, length, signed_size);
}

}  // namespace

const Operator& euclidean_add_difference() {
  static const Operator declaration{
      .name = "euclidean_add_difference",
      .summary =
          "Adds two differences in quadrature: the larger of two changes counts for "
          "more.",
      .doc =
          "The changes of a and b to c, each scaled to norm 1, are added in "
          "quadrature, element by element, with the sign of their weighted sum, and "
          "the result gets the norm of that sum. Where both are the same it is their "
          "weighted sum; where one changed more, it counts for more than its share.",
      .formula =
          "c + (|s| / |d|)*d, s = (1 - alpha)*a + alpha*b - c, d = sign(s)*sqrt((1 - "
          "alpha)*u^2 + alpha*v^2), u and v the differences over their norms",
      .source = "meh's euclidean_add_difference",
      .example =
          "mix: {op: euclidean_add_difference, a: photo, b: anime, c: base, alpha: "
          "0.5}",
      .uses = {"combine several fine-tunes of one base"},
      .operands = {{.name = "a", .kind = Kind::kWeight, .doc = "A fine-tune."},
                   {.name = "b", .kind = Kind::kWeight, .doc = "Another."},
                   {.name = "c", .kind = Kind::kWeight, .doc = "What both were trained from."}},
      .result = Kind::kWeight,
      .parameters =
          {{.name = "alpha", .by_place = true, .low = 0, .high = 1, .doc = "Share of b."}},
      .lower = LowerEuclideanAddDifference,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
