#include "merge/arithmetic/drops.h"
#include "merge/arithmetic/rescale.h"
#include "merge/arithmetic/task_vectors.h"
#include "merge/arithmetic/trim.h"

namespace weightsmith::internal::operators {
namespace {

Value LowerDareTies(Lowering& tape, const Arguments& given) {
  std::vector<Value> kept = Differences(tape, given);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    kept[i] = DropAtRandom(tape, given, "dare_ties", i, kept[i]);
    tape.TellShare("kept", kept[i], Subject::Entry(i));
  }
  return AddAgreed(tape, given, kept);
}

}  // namespace

const Operator& dare_ties() {
  static const Operator declaration{
      .name = "dare_ties",
      .summary = "Adds fine-tunes thinned by chance, of the sign that outweighs.",
      .doc =
          "Of every model's difference to the base each element is kept with the probability "
          "density, and divided by density, as dare_linear does. Where what is left disagrees on "
          "a sign, elements of one are left out, as ties does: with normalize, which is off by "
          "default, each element is divided by the sum of the weights of the models that are left "
          "there.\n\n"
          "The choice is that of the seed, of the model's place in the list, of the tensor's name "
          "and of the element's place in it: threads, parts, and names and order in files change "
          "nothing. Mergekit draws from one sequence for all tensors, so its choice is another, "
          "of the same shares.",
      .formula =
          "base + lambda*sum(k_i) [/ sum(w_i where k_i != 0)], k_i = w_i*m_i*(x_i - base) / "
          "density of the elected sign",
      .source = "DARE, arXiv:2311.03099; mergekit's dare_ties",
      .example =
          "mix: {op: dare_ties, base: base, of: [{model: photo, weight: 0.6, density: 0.3}, "
          "{model: anime, weight: 0.4}], density: 0.5, seed: 7}",
      .uses = {"combine several fine-tunes of one base", "multi-task language model",
               "resolve conflicts between fine-tunes"},
      .operands = {BaseOperand()},
      .list = FineTunes(true),
      .result = Kind::kWeight,
      .parameters = {DensityParameter(0.5,
                                      "The share of each difference that is kept, on average."),
                     NormalizeParameter(false, "Whether to divide by the weights that agree."),
                     SignParameter(), LambdaParameter(), RescaleParameter("density"),
                     SeedParameter(), SeedSharedParameter()},
      .check = CheckFineTunes,
      .check_tensor = CheckSumOfPresent,
      .lower = LowerDareTies,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
