#include "merge/operator.h"

namespace weightsmith::internal::operators {
namespace {

/// The standard deviation of the elements, of all of them.
Scalar DeviationOf(Lowering& tape, Value x, const Shape& shape) {
  const auto count = static_cast<double>(ElementCount(shape).value_or(0));
  const Scalar mean = tape.Over(tape.SumOf(x), count);
  const Value centred = tape.AddScaled(x, tape.Minus(0, mean), tape.Constant(1));
  return tape.SquareRoot(tape.Over(tape.Dot(centred, centred), count));
}

Value LowerNoise(Lowering& tape, const Arguments& given) {
  const Value a = given.operands[0];
  const double strength = tape.Round(given.parameters.Number("strength"));
  if (strength == 0 || a.zero()) return a;
  const bool absolute = given.parameters.Word("unit") == "absolute";
  const Scalar width =
      absolute ? Scalar(strength) : tape.Times(strength, DeviationOf(tape, a, given.shape));
  tape.Tell("deviation of the noise", width);
  return tape.AddScaled(a, width, tape.Normal(given.parameters.Seed("seed"), "noise", 0));
}

}  // namespace

const Operator& noise() {
  static const Operator declaration{
      .name = "noise",
      .summary = "Adds normal noise, the same for the same seed on every machine.",
      .doc =
          "Every element gets a normal random number of mean 0. Strength 0.05 is noise of 5 % of "
          "the standard deviation that the tensor's elements have; with `unit: absolute` strength "
          "is the standard deviation of the noise itself. A tensor whose elements are all equal "
          "has no deviation, and stays as it is. The numbers are those of the seed, the tensor's "
          "name and the element's place in it, whatever the names and the order in a file.",
      .formula = "a + strength*sd(a)*n, n normal",
      .source = "ours",
      .example = "rough: {op: noise, a: photo, strength: 0.02, seed: 7}",
      .uses = {"variation of a model", "test how robust a model is",
               "break symmetry before training"},
      .operands = {{.name = "a", .doc = "What noise is added to."}},
      .parameters = {{.name = "strength",
                      .by_place = true,
                      .low = 0,
                      .high = 10,
                      .doc = "How much noise, relative to the deviation of the tensor."},
                     {.name = "unit",
                      .type = ParameterType::kWord,
                      .default_value = 0,
                      .words = {"deviation", "absolute"},
                      .doc = "Whether strength is relative to the deviation of the tensor."},
                     SeedParameter(),
                     SeedSharedParameter(),
                     VaeParameter()},
      .lower = LowerNoise,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
