
#include "merge/operator.h"
#include "merge/program/frequency.h"

namespace weightsmith::operators {
namespace {

Value Lower(Lowering& tape, const Arguments& given) {
  const Value a = given.operands[0];
  const Value b = given.operands[1];
  const double alpha = tape.Round(given.parameters.Number("alpha"));
  if (alpha == 0 || a == b) return a;
  if (alpha == 1) return b;
  // The filter is linear: what is taken of b is what it passes of the difference.
  const Value difference = tape.Subtract(b, a);
  if (given.parameters.Number("tilt") == 1) return tape.AddScaled(a, alpha, difference);
  const Value taken = tape.Transformed(FilterFrequencies(), std::span(&difference, 1),
                                       {alpha, given.parameters.Number("tilt")});
  return tape.Add(a, taken);
}

}  // namespace

const Operator& crossover() {
  static const Operator declaration{
      .name = "crossover",
      .summary = "Takes coarse structure from one model and fine structure from another.",
      .doc =
          "Every tensor is taken apart into frequencies along all its dimensions: low ones come "
          "from a, high ones from b. Alpha is the share of b, tilt how soft the crossing is: 0 is "
          "a hard edge, 1 no crossing at all (a weighted sum), 2 a hard edge with the parts "
          "exchanged.\n\n"
          "A tensor is held whole while it is computed, in 12 bytes an element and more.",
      .formula = "a + F(b - a), F passing each frequency by alpha and tilt",
      .source = "sd-mecha's crossover",
      .example = "mix: {op: crossover, a: photo, b: anime, alpha: 0.5, tilt: 0.25}",
      .operands = {{.name = "a", .doc = "Low frequencies."}, {.name = "b", .doc = "High ones."}},
      .parameters = {{.name = "alpha", .by_place = true, .low = 0, .high = 1, .doc = "Share of b."},
                     {.name = "tilt",
                      .default_value = 0.0,
                      .by_place = true,
                      .low = 0,
                      .high = 4,
                      .doc = "How soft the crossing is."}},
      .lower = Lower,
  };
  return declaration;
}

}  // namespace weightsmith::operators
