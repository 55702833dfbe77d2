#include "merge/arithmetic/drops.h"
#include "merge/arithmetic/rescale.h"
#include "merge/arithmetic/task_vectors.h"
#include "merge/arithmetic/trim.h"

namespace weightsmith::internal::operators {
namespace {

Value LowerDareLinear(Lowering& tape, const Arguments& given) {
  std::vector<Value> kept = Differences(tape, given);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    kept[i] = DropAtRandom(tape, given, "dare_linear", i, kept[i]);
    tape.TellShare("kept", kept[i], Subject::Entry(i));
  }
  return AddSum(tape, given, kept);
}

}  // namespace

const Operator& dare_linear() {
  static const Operator declaration{
      .name = "dare_linear",
      .summary = "Adds fine-tunes of which most changes are dropped by chance.",
      .doc =
          "Of every model's difference to the base each element is kept with the probability "
          "density, independently of all others; what is kept is divided by density, so that the "
          "sum stays on average what it was. With `rescale: l1`, as mergekit has it, it is scaled "
          "to the sum of magnitudes that the difference had, and with `none` not at all. At "
          "density 1 nothing is dropped, and at 0 all is.\n\n"
          "The choice is that of the seed, of the model's place in the list, of the tensor's name "
          "and of the element's place in it: threads, parts, and names and order in files change "
          "nothing. Mergekit draws from one sequence for all tensors, so its choice is another, "
          "of the same shares.",
      .formula =
          "base + lambda*sum(w_i*d_i) [/ sum(w_i)], d_i = m_i*(x_i - base) / density, m_i 0 or 1",
      .source = "DARE, arXiv:2311.03099; mergekit's dare_linear",
      .example =
          "mix: {op: dare_linear, base: base, of: [{model: photo, weight: 0.6, density: 0.3}, "
          "{model: anime, weight: 0.4}], density: 0.5, seed: 7}",
      .uses = {"combine several fine-tunes of one base", "multi-task language model",
               "thin out a fine-tune"},
      .operands = {BaseOperand()},
      .list = FineTunes(true),
      .result = Kind::kWeight,
      .parameters = {DensityParameter(0.5,
                                      "The share of each difference that is kept, on average."),
                     NormalizeParameter(false, "Whether to divide by the sum of the weights."),
                     LambdaParameter(), RescaleParameter("density"), SeedParameter(),
                     SeedSharedParameter()},
      .check = CheckFineTunes,
      .check_tensor = CheckSumOfWeights,
      .lower = LowerDareLinear,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
