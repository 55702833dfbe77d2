#include <array>

#include "merge/arithmetic/opposite.h"
#include "merge/arithmetic/training.h"
#include "merge/operator.h"

namespace weightsmith::internal::operators {
namespace {

Value LowerSimilarityAddDifference(Lowering& tape, const Arguments& given) {
  const auto [a, b, c] = std::array{given.operands[0], given.operands[1], given.operands[2]};
  const double alpha = tape.Round(given.parameters.Number("alpha"));
  const double beta = tape.Round(given.parameters.Number("beta"));
  const Value larger = tape.Max(tape.Magnitude(a), tape.Magnitude(b));
  const Value product = tape.Multiply(tape.Quotient(a, larger), tape.Quotient(b, larger));
  // Two zeros are alike.
  const Value zeros = tape.Subtract(tape.Constant(1), tape.WhereNotZero(1, larger));
  const Value alike =
      tape.Scale(tape.Product(beta, 0.5), tape.Add(tape.Add(product, zeros), tape.Constant(1)));
  TellOpposite(tape, a, b);
  tape.TellMean("alike", alike);
  const Value added = tape.AddDifference(a, alpha, b, c);
  const double half = tape.Product(alpha, 0.5);
  const Value blended = tape.Blend(tape.Difference(1, half), a, half, b);
  return tape.Add(tape.Multiply(tape.Subtract(tape.Constant(1), alike), added),
                  tape.Multiply(alike, blended));
}

}  // namespace

const Operator& similarity_add_difference() {
  static const Operator declaration{
      .name = "similarity_add_difference",
      .summary =
          "Adds a difference where two models are unlike, averages where they are "
          "alike.",
      .doc =
          "How alike an element of a and b is goes from 0 (opposite) to 1 (equal, or "
          "both zero), times beta. By it the result goes from add_difference to a "
          "blend of a and b by half of alpha.\n\n"
          "Chattiori's SIM then scales the result to the mean and deviation of a, "
          "which this does not.",
      .formula =
          "(1 - s)*(a + alpha*(b - c)) + s*((1 - alpha/2)*a + (alpha/2)*b), s = "
          "(beta/2)*(a*b/max(|a|, |b|)^2 + 1)",
      .source = "meh's similarity_add_difference; Chattiori, SIM",
      .example =
          "style: {op: similarity_add_difference, a: photo, b: anime, c: base, alpha: "
          "0.7, beta: 1}",
      .uses = {"style transfer", "add a fine-tune without burning"},
      .operands = ModelAndTraining(),
      .result = Kind::kWeight,
      .parameters = {{.name = "alpha",
                      .by_place = true,
                      .low = -10,
                      .high = 10,
                      .doc = "How much of the difference."},
                     {.name = "beta",
                      .default_value = 1.0,
                      .by_place = true,
                      .low = 0,
                      .high = 1,
                      .doc = "How much likeness counts."}},
      .lower = LowerSimilarityAddDifference,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
