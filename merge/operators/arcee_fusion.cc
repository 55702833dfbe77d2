#include "merge/arithmetic/cells.h"

namespace weightsmith::internal::operators {
namespace {

/// Added to each probability.
constexpr double kLeastProbability = 1e-8;
/// How many interquartile ranges above the median an element is important.
constexpr double kRanges = 1.5;

/// Each row as probabilities: e^x over the sum of those, after the largest of the row is taken off.
Value Softmax(Lowering& tape, const Grid& rows, Value x) {
  const Scalar reach = tape.LargestOf(rows, x);
  const Value above = tape.Add(x, tape.Spread(reach, rows));
  const Scalar largest = tape.Minus(tape.LargestOf(rows, above), reach);
  const Value powers = tape.Exponential(tape.Subtract(x, tape.Spread(largest, rows)));
  const Value shares =
      tape.Multiply(powers, tape.Spread(tape.Over(1, tape.SumOf(rows, powers)), rows));
  return tape.Add(shares, tape.Constant(kLeastProbability));
}

Value LowerArceeFusion(Lowering& tape, const Arguments& given) {
  const Value a = given.operands[0];
  const Value b = given.operands[1];
  if (a == b) return a;
  const std::uint64_t row = ElementsOfRow(given.shape);
  const Grid rows = row == 0 ? Grid::Whole(ElementCount(given.shape).value_or(0)) : Grid::Rows(row);
  const Value p = Softmax(tape, rows, b);
  const Value q = Softmax(tape, rows, a);
  const Value ratio = tape.Logarithm(tape.Quotient(p, q));
  // A divergence is 0 or more, but for rounding.
  const Scalar divergence = tape.Greater(tape.SumOf(rows, tape.Multiply(p, ratio)), 0);
  const Value difference = tape.Subtract(b, a);
  const Value importance = tape.Multiply(tape.Magnitude(difference), tape.Spread(divergence, rows));
  const auto quartile = [&](double fraction) {
    return tape.Ranked(importance, {.rule = Rank::Rule::kQuantile, .fraction = fraction});
  };
  const Scalar range = tape.Minus(quartile(0.75), quartile(0.25));
  const Scalar limit = tape.Plus(quartile(0.5), tape.Times(kRanges, range));
  const Value important = tape.KeepAtLeast(importance, limit);
  // Where the limit is 0 every element reaches it, the ones of importance 0 too.
  const Value chosen = tape.Choose(important, difference, Value::Zero());
  const Value all = tape.Scale(tape.Select(0, limit, 0, 1), difference);
  const Value taken = tape.Choose(all, all, chosen);
  tape.TellShare("taken", taken);
  return tape.Add(a, taken);
}

}  // namespace

const Operator& arcee_fusion() {
  static const Operator declaration{
      .name = "arcee_fusion",
      .summary = "Takes from a second model the elements whose change matters most.",
      .doc =
          "How much an element matters is its change times the divergence of its row: the rows of "
          "a matrix (what belongs to one output, of a convolution all of its kernel; a tensor of "
          "one dimension is one row) are taken as probabilities (softmax), and compared. Elements "
          "that reach the median and 1.5 times the distance of the quartiles, over the tensor, are "
          "those of b; the others stay as a has them. Where no change matters all are those of "
          "b.\n\n"
          "Quartiles are those of all elements; mergekit takes them from a sample where a tensor "
          "has over a million. Its rows of a convolution are the last dimension alone.",
      .formula =
          "a + (b - a where I >= Q(1/2) + 1.5*(Q(3/4) - Q(1/4))), I = |b - a|*KL(softmax(b), "
          "softmax(a)), Q its quantiles",
      .source = "Arcee Fusion; mergekit's arcee_fusion",
      .example = "mix: {op: arcee_fusion, a: base, b: photo}",
      .uses = {"take the changes that matter", "language models"},
      .operands = {{.name = "a", .kind = Kind::kWeight, .doc = "What stays elsewhere."},
                   {.name = "b", .kind = Kind::kWeight, .doc = "What is taken from."}},
      .result = Kind::kWeight,
      .parameters = {VaeParameter()},
      .lower = LowerArceeFusion,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
