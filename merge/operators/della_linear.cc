#include "merge/arithmetic/drops.h"
#include "merge/arithmetic/rescale.h"
#include "merge/arithmetic/task_vectors.h"
#include "merge/arithmetic/trim.h"

namespace weightsmith::internal::operators {
namespace {

std::string CheckDellaLinearTensor(const Arguments& given) {
  const std::string problem = CheckChances(given);
  return problem.empty() ? CheckSumOfWeights(given) : problem;
}

Value LowerDellaLinear(Lowering& tape, const Arguments& given) {
  std::vector<Value> kept = Differences(tape, given);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    kept[i] = DropByRank(tape, given, "della_linear", i, kept[i]);
    tape.TellShare("kept", kept[i], Subject::Entry(i));
  }
  return AddSum(tape, given, kept);
}

}  // namespace

const Operator& della_linear() {
  static const Operator declaration{
      .name = "della_linear",
      .summary = "Adds fine-tunes of which small changes are dropped more often than large ones.",
      .doc =
          "As dare_linear, with a chance that grows with the magnitude of an element in every "
          "model's difference to the base. An element of rank r of n (0 is the smallest "
          "magnitude, the lower index of equal ones) is kept with the probability density - "
          "epsilon + 2*epsilon*r/(n - 1); it is then divided by it, so that the sum stays on "
          "average what it was. With `rescale: l1`, as mergekit has it, what is kept is scaled to "
          "the sum of magnitudes that the difference had. Ranks are those inside a row: all that "
          "makes one output. mergekit ranks convolutions along their input channels, as `ranks: "
          "column` does, and sd-mecha all of a tensor. A row of one element has the probability "
          "density, where mergekit fails.\n\n"
          "At density 1 nothing is dropped; else density - epsilon and density + epsilon lie "
          "between 0 and 1.\n\n"
          "The choice is that of the seed, of the model's place in the list, of the tensor's name "
          "and of the element's place in it: threads, parts, and names and order in files change "
          "nothing. Mergekit draws from one sequence for all tensors, so its choice is another, "
          "of the same shares.",
      .formula =
          "base + lambda*sum(w_i*d_i) [/ sum(w_i)], d_i = m_i*(x_i - base) / p_i, m_i 0 or 1",
      .source = "DELLA-Merging, arXiv:2406.11617; mergekit's della_linear",
      .example =
          "mix: {op: della_linear, base: base, of: [{model: photo, weight: 0.6, density: 0.3}, "
          "{model: anime, weight: 0.4}], density: 0.5, epsilon: 0.1, seed: 7}",
      .uses = {"combine several fine-tunes of one base", "multi-task language model",
               "thin out a fine-tune"},
      .operands = {BaseOperand()},
      .list = FineTunes(true),
      .result = Kind::kWeight,
      .parameters = {DensityParameter(0.5,
                                      "The share of each difference that is kept, on average."),
                     EpsilonOfDensity(), RanksParameter(),
                     NormalizeParameter(false, "Whether to divide by the sum of the weights."),
                     LambdaParameter(), RescaleParameter("density"), SeedParameter(),
                     SeedSharedParameter()},
      .check = CheckFineTunes,
      .check_tensor = CheckDellaLinearTensor,
      .lower = LowerDellaLinear,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
