#include "merge/operator.h"
#include "merge/program/frequency.h"

namespace weightsmith::internal::operators {
namespace {

Value LowerCrossover(Lowering& tape, const Arguments& given) {
  const Value a = given.operands[0];
  const Value b = given.operands[1];
  const double alpha = tape.Round(given.parameters.Number("alpha"));
  if (alpha == 0 || a == b) return a;
  if (alpha == 1) return b;
  // The filter is linear: what is taken of b is what it passes of the difference.
  const Value difference = tape.Subtract(b, a);
  if (given.parameters.Number("tilt") == 1) return tape.AddScaled(a, alpha, difference);
  const Value taken = tape.Transformed(FilterFrequencies(), std::span(&difference, 1),
                                       {.alpha = alpha, .tilt = given.parameters.Number("tilt")});
  tape.Tell("energy taken", tape.ToldBy(taken, 0), Unit::kShare, Subject::Operand(1));
  return tape.Add(a, taken);
}

}  // namespace

const Operator& crossover() {
  static const Operator declaration{
      .name = "crossover",
      .summary = "Takes coarse structure from one model and fine structure from another.",
      .doc =
          "Every tensor is taken apart into frequencies along all its dimensions. Below tilt 1 "
          "and above 3, b gives the high frequencies and a the low ones; between 1 and 3 they are "
          "exchanged. 0, 2 and 4 are hard edges (4 is the same as 0), 1 and 3 are no edge at all: "
          "a weighted sum. Alpha is the share of b, at tilt 2 that of a.\n\n"
          "A tensor is held whole while it is computed, in 16 bytes an element and more.",
      .formula = "a + F(b - a), F passing each frequency by alpha and tilt",
      .source = "sd-mecha's crossover",
      .example = "mix: {op: crossover, a: photo, b: anime, alpha: 0.5, tilt: 0.25}",
      .uses = {"composition of one model, details of another",
               "style transfer that keeps composition"},
      .operands = {{.name = "a", .doc = "Low frequencies, below tilt 1."},
                   {.name = "b", .doc = "High ones."}},
      .parameters = {{.name = "alpha", .by_place = true, .low = 0, .high = 1, .doc = "Share of b."},
                     {.name = "tilt",
                      .default_value = 0.0,
                      .by_place = true,
                      .low = 0,
                      .high = 4,
                      .doc = "How soft the crossing is."}},
      .lower = LowerCrossover,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
