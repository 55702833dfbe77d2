#include <array>

#include "merge/arithmetic/opposite.h"
#include "merge/arithmetic/training.h"
#include "merge/operator.h"

namespace weightsmith::internal::operators {
namespace {

Value LowerAddOpposite(Lowering& tape, const Arguments& given) {
  const auto [a, b, c] = std::array{given.operands[0], given.operands[1], given.operands[2]};
  const double gain = tape.Product(2, given.parameters.Number("alpha"));
  if (gain == 0) return a;
  const Value of_a = tape.Subtract(a, c);
  const Value of_b = tape.Subtract(b, c);
  TellOpposite(tape, of_a, of_b);
  Value share = Value::Zero();
  if (given.parameters.Word("where") == "opposite") {
    const Value larger = tape.Max(tape.Magnitude(of_a), tape.Magnitude(of_b));
    const Value together = tape.Multiply(tape.Quotient(of_a, larger), tape.Quotient(of_b, larger));
    share = tape.KeepSign(tape.Scale(-1, together), Value::Zero());
  } else {
    const Value apart = tape.Magnitude(tape.Subtract(of_a, of_b));
    share = tape.Quotient(apart, tape.Add(apart, tape.Magnitude(tape.Add(of_a, of_b))));
  }
  tape.TellMean("added", share, Subject::Operand(1));
  return tape.Add(a, tape.Multiply(tape.Scale(gain, share), of_b));
}

}  // namespace

const Operator& add_opposite() {
  static const Operator declaration{
      .name = "add_opposite",
      .summary = "Adds a difference most where a itself changed the other way.",
      .doc =
          "Each element of b - c is scaled by how far the changes of a and b from c "
          "are apart, from 0 where they are equal to 1 where they are opposite; a "
          "change that a has not made counts as half way. With `where: opposite` only "
          "elements that go opposite ways are added to, by the product of both "
          "changes over the square of the larger. The gain of 2 is sd-mecha's.",
      .formula =
          "a + 2*alpha*s*(b - c), s = |a - b| / (|a - b| + |a + b - 2c|); where "
          "opposite: s = max(0, -(a - c)*(b - c)/max(|a - c|, |b - c|)^2)",
      .source = "sd-mecha's add_opposite and add_strict_opposite",
      .example = "style: {op: add_opposite, a: photo, b: anime, c: base, alpha: 0.5}",
      .uses = {"style transfer", "add a fine-tune without burning"},
      .operands = ModelAndTraining(),
      .result = Kind::kWeight,
      .parameters = {{.name = "alpha",
                      .by_place = true,
                      .low = -10,
                      .high = 10,
                      .doc = "How much of the training."},
                     {.name = "where",
                      .type = ParameterType::kWord,
                      .default_value = 0,
                      .words = {"apart", "opposite"},
                      .doc = "Which elements are added to."}},
      .lower = LowerAddOpposite,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
