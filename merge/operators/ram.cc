#include "merge/arithmetic/overlap.h"
#include "merge/arithmetic/task_vectors.h"

namespace weightsmith::internal::operators {
namespace {

Value LowerRam(Lowering& tape, const Arguments& given) {
  const Overlap overlap =
      FindOverlap(tape, Differences(tape, given), given.parameters.Number("epsilon"));
  TellOverlap(tape, overlap);
  return tape.Add(given.operands[0], tape.Quotient(overlap.sum, overlap.count));
}

}  // namespace

const Operator& ram() {
  static const Operator declaration{
      .name = "ram",
      .summary = "Adds changes that one fine-tune made alone, averages those that several made.",
      .doc =
          "An element counts as changed where it differs from the base by more than epsilon. "
          "Changes are averaged over the models that changed the element, so that what one learned "
          "alone is not thinned by the others; elsewhere the base stays. Made for models that were "
          "trained by reinforcement, which change few elements.",
      .formula = "base + sum(d_i where |d_i| > epsilon) / (number of those)",
      .source = "Reinforced Agent Merging (RAM), arXiv:2601.13572; mergekit's ram",
      .example = "mix: {op: ram, base: base, of: [coder, agent]}",
      .uses = {"combine models trained by reinforcement", "keep what each learned alone",
               "language models"},
      .operands = {BaseOperand()},
      .list = FineTunes(false),
      .result = Kind::kWeight,
      .parameters = {EpsilonParameter()},
      .check = CheckFineTunes,
      .lower = LowerRam,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
