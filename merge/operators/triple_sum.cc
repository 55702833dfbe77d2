#include <array>

#include "merge/operator.h"

namespace weightsmith::internal::operators {
namespace {

Value LowerTripleSum(Lowering& tape, const Arguments& given) {
  const auto [a, b, c] = std::array{given.operands[0], given.operands[1], given.operands[2]};
  const double alpha = given.parameters.Number("alpha");
  const double beta = given.parameters.Number("beta");
  const double rest = tape.Difference(1, tape.Sum(alpha, beta));
  return tape.AddScaled(tape.Blend(rest, a, alpha, b), beta, c);
}

}  // namespace

const Operator& triple_sum() {
  static const Operator declaration{
      .name = "triple_sum",
      .summary = "Blends three models: alpha and beta are the shares of the second and third.",
      .doc = "What alpha and beta leave of 1 is the share of a.",
      .formula = "(1 - (alpha + beta))*a + alpha*b + beta*c",
      .source = "SuperMerger, \"Triple sum\"",
      .example = "mix: {op: triple_sum, a: photo, b: anime, c: base, alpha: 0.3, beta: 0.2}",
      .uses = {"blend three models at once"},
      .operands = {{.name = "a", .doc = "Gets what the others leave."},
                   {.name = "b", .doc = "Gets alpha."},
                   {.name = "c", .doc = "Gets beta."}},
      .parameters =
          {{.name = "alpha", .by_place = true, .low = -10, .high = 10, .doc = "Share of b."},
           {.name = "beta", .by_place = true, .low = -10, .high = 10, .doc = "Share of c."}},
      .lower = LowerTripleSum,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
