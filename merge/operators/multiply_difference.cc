#include <array>

#include "merge/arithmetic/opposite.h"
#include "merge/operator.h"

namespace weightsmith::internal::operators {
namespace {

Value LowerMultiplyDifference(Lowering& tape, const Arguments& given) {
  const auto [a, b, c] = std::array{given.operands[0], given.operands[1], given.operands[2]};
  const double alpha = tape.Round(given.parameters.Number("alpha"));
  const double beta = tape.Round(given.parameters.Number("beta"));
  TellOpposite(tape, tape.Subtract(a, c), tape.Subtract(b, c));
  const Value of_a = tape.Magnitude(tape.Subtract(a, c));
  const Value of_b = tape.Magnitude(tape.Subtract(b, c));
  const Value size =
      tape.Multiply(tape.Power(of_a, tape.Difference(1, alpha)), tape.Power(of_b, alpha));
  tape.TellShare("changed", size);
  const Value sign = tape.Subtract(tape.Blend(tape.Difference(1, beta), a, beta, b), c);
  const Value positive = tape.KeepSign(size, sign);
  return tape.Add(c, tape.Blend(2, positive, -1, size));
}

}  // namespace

const Operator& multiply_difference() {
  static const Operator declaration{
      .name = "multiply_difference",
      .summary =
          "Adds the geometric mean of two differences: only where both models "
          "changed.",
      .doc =
          "Of the differences of a and b to c the magnitudes are multiplied, each to "
          "the power of its share, so that what one of them did not change stays as "
          "it is in c. The sign is that of the blend of both by beta.",
      .formula =
          "c + copysign(|a - c|^(1 - alpha)*|b - c|^alpha, ((1 - beta)*a + beta*b) - "
          "c)",
      .source = "meh's multiply_difference; Chattiori, MD",
      .example =
          "mix: {op: multiply_difference, a: photo, b: anime, c: base, alpha: 0.5, "
          "beta: 0.5}",
      .uses = {"keep what two models agree on", "combine several fine-tunes of one base"},
      .operands = {{.name = "a", .kind = Kind::kWeight, .doc = "A fine-tune."},
                   {.name = "b", .kind = Kind::kWeight, .doc = "Another."},
                   {.name = "c", .kind = Kind::kWeight, .doc = "What both were trained from."}},
      .result = Kind::kWeight,
      .parameters = {{.name = "alpha",
                      .by_place = true,
                      .low = 0,
                      .high = 1,
                      .doc = "Share of b in the size of the change."},
                     {.name = "beta",
                      .default_value = 0.5,
                      .by_place = true,
                      .low = -10,
                      .high = 10,
                      .doc = "Share of b in its sign."}},
      .lower = LowerMultiplyDifference,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
