#include "merge/arithmetic/similarity.h"
#include "merge/operator.h"

namespace weightsmith::internal::operators {
namespace {

Value LowerChannelSum(Lowering& tape, const Arguments& given) {
  const Value a = given.operands[0];
  const Value b = given.operands[1];
  const double alpha = tape.Round(given.parameters.Number("alpha"));
  if (alpha == 0 || a == b) return a;
  const Grid rows = WithinRows(given.shape);
  const Scalar apart = tape.Minus(1, CosineOf(tape, rows, a, b));
  const Scalar gate =
      tape.Lesser(tape.Greater(tape.Times(apart, given.parameters.Number("beta")), 0), 1);
  tape.Tell("gate", gate, Unit::kShare);
  const Value difference = tape.Scale(alpha, tape.Subtract(b, a));
  return tape.Add(a, tape.Multiply(tape.Spread(gate, rows), difference));
}

}  // namespace

const Operator& channel_sum() {
  static const Operator declaration{
      .name = "channel_sum",
      .summary =
          "Blends the channels in which two models differ most, and leaves the "
          "others.",
      .doc =
          "Of every output channel (place of the first dimension) the cosine between "
          "a and b is taken: where they are parallel a stays, where they are not the "
          "channel is blended by alpha, the more the further apart they are. A larger "
          "beta takes more channels in full.",
      .formula =
          "a + min(max(beta*(1 - cos), 0), 1)*alpha*(b - a), cos of each place of the "
          "first dimension",
      .source = "Chattiori, CHAN",
      .example = "mix: {op: channel_sum, a: photo, b: anime, alpha: 0.5, beta: 4}",
      .uses = {"take only what differs", "style transfer"},
      .operands = {{.name = "a", .doc = "What alpha 0 gives."},
                   {.name = "b", .doc = "What is blended in."}},
      .parameters = {{.name = "alpha",
                      .by_place = true,
                      .low = -10,
                      .high = 10,
                      .doc = "Share of b in a channel that is taken in full."},
                     {.name = "beta",
                      .default_value = 1.0,
                      .by_place = true,
                      .low = 0,
                      .high = 1000,
                      .doc = "How soon a channel is taken in full."}},
      .lower = LowerChannelSum,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
