#include "merge/arithmetic/crumbs.h"
#include "merge/arithmetic/rescale.h"
#include "merge/arithmetic/task_vectors.h"
#include "merge/arithmetic/trim.h"

namespace weightsmith::internal::operators {
namespace {

Value LowerBreadcrumbs(Lowering& tape, const Arguments& given) {
  const std::vector<Value> kept = WithoutCrumbs(tape, given);
  return AddSum(tape, given, kept);
}

}  // namespace

const Operator& breadcrumbs() {
  static const Operator declaration{
      .name = "breadcrumbs",
      .summary = "Adds fine-tunes without their largest changes and without the small ones.",
      .doc =
          "Of every model's difference to the base, tensor by tensor, the gamma*n largest "
          "elements of n are left out, which may be outliers, and of the others the density*n "
          "largest are kept; equal magnitudes at a limit are all kept, as in ties. Where both "
          "shares are more than there are, fewer large ones are left out. A density of 1 keeps "
          "all, as mergekit does where none is given.\n\n"
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
      .parameters = {DensityParameter(0.9, "The share of each difference that is kept."),
                     GammaParameter(),
                     NormalizeParameter(false, "Whether to divide by the sum of the weights."),
                     LambdaParameter(), RescaleParameter("none")},
      .check = CheckFineTunes,
      .check_tensor = CheckSumOfWeights,
      .lower = LowerBreadcrumbs,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
