#include "merge/arithmetic/overlap.h"
#include "merge/arithmetic/task_vectors.h"

namespace weightsmith::internal::operators {
namespace {

Value LowerRamplusTl(Lowering& tape, const Arguments& given) {
  const ParameterValues& parameters = given.parameters;
  const double epsilon = parameters.Number("epsilon");
  const Overlap overlap = FindOverlap(tape, Differences(tape, given), epsilon);
  // Of the counts 1, 2, … 1 alone is below 1.5; an element that no model changed has no change.
  const Value alone = tape.KeepBelow(tape.Constant(1), overlap.count, tape.Constant(1.5));
  TellOverlap(tape, overlap);
  Value boosted = Value::Zero();
  for (const Value change : overlap.changes) {
    const Value there = tape.WhereNotZero(1, change);
    const Scalar unique = tape.SumOf(tape.Multiply(there, alone));
    const Scalar shared = tape.Minus(tape.SumOf(there), unique);
    // A model that changed nothing alone has nothing to be boosted, whatever epsilon is.
    const Scalar ratio =
        tape.Select(0, unique, tape.Over(shared, tape.Greater(unique, epsilon)), 0);
    const Scalar limited = tape.Lesser(tape.Greater(ratio, 0), parameters.Number("alpha"));
    const Scalar factor = tape.Plus(1, tape.Times(parameters.Number("r"), limited));
    boosted = tape.AddScaled(boosted, factor, change);
  }
  return tape.Add(given.operands[0],
                  tape.Choose(alone, boosted, tape.Quotient(overlap.sum, overlap.count)));
}

}  // namespace

const Operator& ramplus_tl() {
  static const Operator declaration{
      .name = "ramplus_tl",
      .summary = "As ram, with more of what a model learned alone the more it shares elsewhere.",
      .doc =
          "Changes that several models made are averaged, as in ram. Those that one made alone are "
          "multiplied by a factor of its own, tensor by tensor: 1, and r times the number of its "
          "shared changes over the number of those that are its own, which alpha limits.\n\n"
          "The paper's authors count in the whole model, and show r 0.2 with alpha 1; mergekit "
          "counts in each tensor, and its r and alpha are the defaults.",
      .formula =
          "base + (1 + r*min(shared_i / max(unique_i, epsilon), alpha))*d_i where one model "
          "changed the element; where several did, the mean",
      .source = "Reinforced Agent Merging (RAM+), arXiv:2601.13572; mergekit's ramplus_tl",
      .example = "mix: {op: ramplus_tl, base: base, of: [coder, agent], r: 0.1, alpha: 0.2}",
      .uses = {"combine models trained by reinforcement", "keep what each learned alone",
               "language models"},
      .operands = {BaseOperand()},
      .list = FineTunes(false),
      .result = Kind::kWeight,
      .parameters = {EpsilonParameter(),
                     {.name = "r",
                      .default_value = 0.1,
                      .by_place = true,
                      .low = 0,
                      .high = 10,
                      .doc = "How much of the ratio is added to the factor."},
                     {.name = "alpha",
                      .default_value = 0.2,
                      .by_place = true,
                      .low = 0,
                      .high = 10,
                      .doc = "The largest ratio."}},
      .check = CheckFineTunes,
      .lower = LowerRamplusTl,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
