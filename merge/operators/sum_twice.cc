#include <array>

#include "merge/operator.h"

namespace weightsmith::internal::operators {
namespace {

Value LowerSumTwice(Lowering& tape, const Arguments& given) {
  const auto [a, b, c] = std::array{given.operands[0], given.operands[1], given.operands[2]};
  const double alpha = given.parameters.Number("alpha");
  const double beta = given.parameters.Number("beta");
  const Value inner = tape.Blend(tape.Difference(1, alpha), a, alpha, b);
  return tape.Blend(tape.Difference(1, beta), inner, beta, c);
}

}  // namespace

const Operator& sum_twice() {
  static const Operator declaration{
      .name = "sum_twice",
      .summary = "Blends two models, and the result with a third.",
      .doc =
          "Two weighted sums in a row, in one pass: alpha is the share of b in the first, beta the "
          "share of c in the whole.",
      .formula = "(1 - beta)*((1 - alpha)*a + alpha*b) + beta*c",
      .source = "SuperMerger, \"sum Twice\"",
      .example = "mix: {op: sum_twice, a: photo, b: anime, c: base, alpha: 0.4, beta: 0.2}",
      .uses = {"blend three models one after another"},
      .operands = {{.name = "a", .doc = "First model."},
                   {.name = "b", .doc = "Blended into a."},
                   {.name = "c", .doc = "Blended into that."}},
      .parameters = {{.name = "alpha",
                      .by_place = true,
                      .low = -10,
                      .high = 10,
                      .doc = "Share of b beside a."},
                     {.name = "beta",
                      .by_place = true,
                      .low = -10,
                      .high = 10,
                      .doc = "Share of c in the whole."}},
      .lower = LowerSumTwice,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
