#include "merge/arithmetic/drops.h"
#include "merge/arithmetic/rescale.h"
#include "merge/arithmetic/task_vectors.h"
#include "merge/arithmetic/trim.h"

namespace weightsmith::internal::operators {
namespace {

std::string CheckDellaTensor(const Arguments& given) {
  const std::string problem = CheckChances(given);
  return problem.empty() ? CheckSumOfPresent(given) : problem;
}

Value LowerDella(Lowering& tape, const Arguments& given) {
  std::vector<Value> kept = Differences(tape, given);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    kept[i] = DropByRank(tape, given, "della", i, kept[i]);
    tape.TellShare("kept", kept[i], Subject::Entry(i));
  }
  return AddAgreed(tape, given, kept);
}

}  // namespace

const Operator& della() {
  static const Operator declaration{
      .name = "della",
      .summary = "Adds the larger changes of fine-tunes, by chance, of the sign that outweighs.",
      .doc =
          "As dare_ties, with a chance that grows with the magnitude of an element in every "
          "model's difference to the base. An element of rank r of n (0 is the smallest "
          "magnitude, the lower index of equal ones) is kept with the probability density - "
          "epsilon + 2*epsilon*r/(n - 1); it is then divided by it, so that the sum stays on "
          "average what it was. With `rescale: l1`, as mergekit has it, what is kept is scaled to "
          "the sum of magnitudes that the difference had. Ranks are those inside a row: all that "
          "makes one output. mergekit ranks convolutions along their input channels, as `ranks: "
          "column` does, and sd-mecha all of a tensor. A row of one element has the probability "
          "density, where mergekit fails.\n\n"
          "With normalize each element is divided by the sum of the weights of the models that "
          "are left there. At density 1 nothing is dropped; else density - epsilon and density + "
          "epsilon lie between 0 and 1.\n\n"
          "The choice is that of the seed, of the model's place in the list, of the tensor's name "
          "and of the element's place in it: threads, parts, and names and order in files change "
          "nothing. Mergekit draws from one sequence for all tensors, so its choice is another, "
          "of the same shares.",
      .formula =
          "base + lambda*sum(k_i) / sum(w_i where k_i != 0), k_i = w_i*m_i*(x_i - base) / p_i of "
          "the elected sign",
      .source = "DELLA-Merging, arXiv:2406.11617; mergekit's della",
      .example =
          "mix: {op: della, base: base, of: [{model: photo, weight: 0.6, density: 0.3}, {model: "
          "anime, weight: 0.4}], density: 0.5, epsilon: 0.1, seed: 7}",
      .uses = {"combine several fine-tunes of one base", "multi-task language model",
               "resolve conflicts between fine-tunes"},
      .operands = {BaseOperand()},
      .list = FineTunes(true),
      .result = Kind::kWeight,
      .parameters = {DensityParameter(0.5,
                                      "The share of each difference that is kept, on average."),
                     EpsilonOfDensity(), RanksParameter(),
                     NormalizeParameter(true, "Whether to divide by the weights that agree."),
                     SignParameter(), LambdaParameter(), RescaleParameter("density"),
                     SeedParameter(), SeedSharedParameter()},
      .check = CheckFineTunes,
      .check_tensor = CheckDellaTensor,
      .lower = LowerDella,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
