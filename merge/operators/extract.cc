#include <array>

#include "merge/arithmetic/similarity.h"
#include "merge/operator.h"

namespace weightsmith::internal::operators {
namespace {

Value LowerExtract(Lowering& tape, const Arguments& given) {
  const auto [a, b, c] = std::array{given.operands[0], given.operands[1], given.operands[2]};
  const double alpha = tape.Round(given.parameters.Number("alpha"));
  const double beta = tape.Round(given.parameters.Number("beta"));
  const Grid runs = AlongLast(given.shape);
  const Value of_b = tape.Subtract(b, a);
  const Value of_c = tape.Subtract(c, a);
  const Scalar cosine = tape.Lesser(tape.Greater(CosineOf(tape, runs, of_b, of_c), -1), 1);
  const Scalar alike =
      tape.Power(tape.Over(tape.Plus(cosine, 1), 2), given.parameters.Number("gamma"));
  const Scalar taken = tape.Plus(tape.Times(tape.Difference(1, beta), alike),
                                 tape.Times(beta, tape.Minus(1, alike)));
  tape.Tell("taken", taken, Unit::kShare);
  const Value difference = tape.Blend(tape.Difference(1, alpha), of_b, alpha, of_c);
  return tape.Add(a, tape.Multiply(tape.Spread(taken, runs), difference));
}

}  // namespace

const Operator& extract() {
  static const Operator declaration{
      .name = "extract",
      .summary = "Adds to a what two fine-tunes have in common, or what tells them apart.",
      .doc =
          "The differences of b and c to a are compared run by run of the last "
          "dimension: with beta 0 those that point the same way are added, with beta "
          "1 those that do not, each in proportion to how alike (unlike) they are. A "
          "larger gamma takes less of what is less alike. Alpha is the share of c in "
          "what is added.\n\n"
          "In SuperMerger a is the base as well. On convolutions a run is one row of "
          "a kernel.",
      .formula =
          "a + ((1 - alpha)*(b - a) + alpha*(c - a))*((1 - beta)*s + beta*(1 - s)), s "
          "= ((cos + 1)/2)^gamma",
      .source = "SuperMerger, \"extract\"",
      .example =
          "style: {op: extract, a: base, b: photo, c: anime, alpha: 0.5, beta: 0, "
          "gamma: 1}",
      .uses = {"find what two fine-tunes share", "remove what two fine-tunes share",
               "style transfer"},
      .operands = {{.name = "a", .kind = Kind::kWeight, .doc = "What both were trained from."},
                   {.name = "b", .kind = Kind::kWeight, .doc = "A fine-tune."},
                   {.name = "c", .kind = Kind::kWeight, .doc = "Another."}},
      .result = Kind::kWeight,
      .parameters = {{.name = "alpha",
                      .by_place = true,
                      .low = 0,
                      .high = 1,
                      .doc = "Share of c in what is added."},
                     {.name = "beta",
                      .default_value = 0.0,
                      .by_place = true,
                      .low = 0,
                      .high = 1,
                      .doc = "0 for what is alike, 1 for what is not."},
                     {.name = "gamma",
                      .default_value = 0.3,
                      .by_place = true,
                      .low = 0,
                      .high = 20,
                      .doc = "How sharp the choice is."}},
      .lower = LowerExtract,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
