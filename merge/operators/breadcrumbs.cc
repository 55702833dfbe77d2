#include "merge/arithmetic/rescale.h"
#include "merge/arithmetic/task_vectors.h"
#include "merge/arithmetic/trim.h"

namespace weightsmith::internal::operators {
namespace {

std::string CheckBreadcrumbs(const ArgumentsGiven& given) {
  return CheckFineTunes(given);
}

Value LowerBreadcrumbs(Lowering& tape, const Arguments& given) {
  std::vector<Value> kept = Differences(tape, given);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const double density = given.Entry("density", i);
    const Value whole = kept[i];
    kept[i] = Rescale(tape, given.parameters.Word("rescale"), density, whole,
                      TrimBothEnds(tape, whole, density, given.Entry("gamma", i)));
    tape.TellShare("kept", kept[i], Subject::Entry(i));
  }
  const std::vector<Value> terms = Weighted(tape, kept, given.weights);
  return AddToBase(tape, given,
                   SumOfTerms(tape, terms, given.weights, given.parameters.Flag("normalize")));
}

}  // namespace

const Operator& breadcrumbs() {
  static const Operator declaration{
      .name = "breadcrumbs",
      .summary = "Adds fine-tunes without their largest changes and without the small ones.",
      .doc =
          "Of every model's difference to the base, tensor by tensor, the gamma*n largest elements "
          "of n are left out, which may be outliers, and of the others the density*n largest are "
          "kept; equal magnitudes at a limit are all kept. Where both shares are more than there "
          "are, fewer large ones are left out. A density of 1 keeps all.\n\n"
          "Where mergekit keeps nothing of a tensor because gamma*n is less than one element, "
          "nothing large is left out here.",
      .formula = "base + lambda*sum(w_i*trim(x_i - base)), trim keeping density*n behind gamma*n",
      .source = "Model Breadcrumbs, arXiv:2312.06795; mergekit's breadcrumbs",
      .example =
          "mix: {op: breadcrumbs, base: base, of: [{model: photo, weight: 0.6}, {model: "
          "anime, weight: 0.4}], density: 0.85, gamma: 0.01}",
      .uses = {"combine several fine-tunes", "leave outliers out", "language models"},
      .operands = {BaseOperand()},
      .list = FineTunes(true),
      .result = Kind::kWeight,
      .parameters = {DensityParameter("The share of each difference that is kept."),
                     {.name = "gamma",
                      .default_value = 0.01,
                      .by_place = true,
                      .by_entry = true,
                      .low = 0,
                      .high = 1,
                      .doc = "The share of largest elements that is left out."},
                     NormalizeParameter(false, "Whether to divide by the sum of the weights."),
                     LambdaParameter(),
                     RescaleParameter("none")},
      .check = CheckBreadcrumbs,
      .check_tensor = CheckSumOfWeights,
      .lower = LowerBreadcrumbs,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
