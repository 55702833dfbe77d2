#include "merge/program/frequency.h"
#include "merge/operator.h"

namespace weightsmith::internal::operators {
namespace {

std::string CheckFrequency(const Arguments& given) {
  const bool ordered = given.parameters.Number("from") <= given.parameters.Number("to");
  return ordered ? "" : "the middle band begins where it has ended: `from` is greater than `to`";
}

Value LowerFrequency(Lowering& tape, const Arguments& given) {
  const Value a = given.operands[0];
  const Value b = given.operands[1];
  const double low = tape.Round(given.parameters.Number("low"));
  const double middle = tape.Round(given.parameters.Number("middle"));
  const double high = tape.Round(given.parameters.Number("high"));
  const auto all_are = [&](double share) {
    return low == share && middle == share && high == share;
  };
  if (a == b || all_are(0)) return a;
  if (all_are(1)) return b;
  // The filter is linear: what is taken of b is what it passes of the difference.
  const Value difference = tape.Subtract(b, a);
  const Value taken = tape.Transformed(FilterBands(), std::span(&difference, 1),
                                       {.low = low,
                                        .middle = middle,
                                        .high = high,
                                        .first_edge = given.parameters.Number("from"),
                                        .second_edge = given.parameters.Number("to")});
  tape.Tell("energy taken", tape.ToldBy(taken, 0), Unit::kShare, Subject::Operand(1));
  return tape.Add(a, taken);
}

}  // namespace

const Operator& frequency() {
  static const Operator declaration{
      .name = "frequency",
      .summary = "Blends coarse, middle and fine structure of two models, each by its own weight.",
      .doc =
          "Every tensor is taken apart into frequencies along all its dimensions, as crossover "
          "does. Each has a radius from 0, the mean, to 1, the finest. Below `from` the share "
          "`low` of b is taken, from there on `middle`, and from `to` on `high`. Where all are 0 "
          "the result is a, where all are 1 it is b, byte for byte.\n\n"
          "A tensor is held whole while it is computed, in 16 bytes an element and more. "
          "Chattiori's FREQ transforms each kernel of a convolution by itself, and has two bands.",
      .formula = "a + F(b - a), F passing low, middle or high of a frequency by its radius",
      .source = "ours, after sd-mecha's crossover and Chattiori's FREQ",
      .example = "mix: {op: frequency, a: photo, b: anime, low: 0.8, middle: 0.4, high: 0}",
      .uses = {"style transfer", "keep fine detail", "keep composition"},
      .operands = {{.name = "a", .doc = "What shares of 0 leave."},
                   {.name = "b", .doc = "What is taken from."}},
      .parameters = {{.name = "low",
                      .by_place = true,
                      .low = -10,
                      .high = 10,
                      .doc = "Share of b in the coarse structure."},
                     {.name = "middle",
                      .by_place = true,
                      .low = -10,
                      .high = 10,
                      .doc = "Share of b between."},
                     {.name = "high",
                      .by_place = true,
                      .low = -10,
                      .high = 10,
                      .doc = "Share of b in the fine structure."},
                     {.name = "from",
                      .default_value = 0.25,
                      .by_place = true,
                      .low = 0,
                      .high = 1,
                      .doc = "The radius at which the middle begins."},
                     {.name = "to",
                      .default_value = 0.5,
                      .by_place = true,
                      .low = 0,
                      .high = 1,
                      .doc = "The radius at which it ends."}},
      .check_tensor = CheckFrequency,
      .lower = LowerFrequency,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
