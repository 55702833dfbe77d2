#include <array>

#include "merge/operator.h"
#include "merge/program/order.h"

namespace weightsmith::internal::operators {
namespace {

Value LowerDistributionCrossover(Lowering& tape, const Arguments& given) {
  const auto [a, b, c] = std::array{given.operands[0], given.operands[1], given.operands[2]};
  const double alpha = tape.Round(given.parameters.Number("alpha"));
  if (alpha == 0 || a == b) return a;
  const Value difference = tape.Subtract(b, a);
  if (ElementCount(given.shape).value_or(0) < 2) return tape.AddScaled(a, alpha, difference);
  // The filter is linear: what is taken of b is what it passes of the difference.
  const Value taken =
      tape.Transformed(FilterInOrder(), std::array{difference, c},
                       {.edge = 1 - alpha, .rise = given.parameters.Number("tilt")});
  tape.Tell("energy taken", tape.ToldBy(taken, 0), Unit::kShare, Subject::Operand(1));
  return tape.Add(a, taken);
}

}  // namespace

const Operator& distribution_crossover() {
  static const Operator declaration{
      .name = "distribution_crossover",
      .summary = "Crosses two models over in the order that the values of a third have.",
      .doc =
          "Elements of a and b are put in the order in which c has its values. Of "
          "that line a gives the low frequencies, how values go with those of c, and "
          "b the high ones. Alpha is the share of the frequencies that b gives; tilt "
          "is how softly the two go over into each other, as a share of all "
          "frequencies. At alpha 0 the result is a.\n\n"
          "meh's alpha is the share of a: 1 less this one. It leaves open in which "
          "order equal elements of c are; here it is that of their places. A tensor "
          "is held whole while it is computed, in 40 bytes an element and more.",
      .formula =
          "a + F(b - a), F passing in the order of c the frequencies f where f >= 1 - "
          "alpha, or clip((f - (1 - alpha))/tilt + 1/2, 0, 1) of each",
      .source = "meh's distribution_crossover",
      .example =
          "mix: {op: distribution_crossover, a: photo, b: anime, c: base, alpha: 0.5, "
          "tilt: 0.1}",
      .uses = {"take structure of one model with the detail of another"},
      .operands = {{.name = "a", .kind = Kind::kWeight, .doc = "Low frequencies."},
                   {.name = "b", .kind = Kind::kWeight, .doc = "High ones."},
                   {.name = "c", .kind = Kind::kWeight, .doc = "Gives the order."}},
      .result = Kind::kWeight,
      .parameters = {{.name = "alpha", .by_place = true, .low = 0, .high = 1, .doc = "Share of b."},
                     {.name = "tilt",
                      .default_value = 0.0,
                      .by_place = true,
                      .low = 0,
                      .high = 1,
                      .doc = "How soft the crossing is."}},
      .lower = LowerDistributionCrossover,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
