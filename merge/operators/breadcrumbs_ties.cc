#include "merge/arithmetic/crumbs.h"
#include "merge/arithmetic/rescale.h"
#include "merge/arithmetic/task_vectors.h"
#include "merge/arithmetic/trim.h"

namespace weightsmith::internal::operators {
namespace {

Value LowerBreadcrumbsTies(Lowering& tape, const Arguments& given) {
  const std::vector<Value> kept = WithoutCrumbs(tape, given);
  return AddAgreed(tape, given, kept);
}

}  // namespace

const Operator& breadcrumbs_ties() {
  static const Operator declaration{
      .name = "breadcrumbs_ties",
      .summary = "Adds fine-tunes without outliers and noise, where their signs agree.",
      .doc =
          "As breadcrumbs: of every model's difference to the base neither the largest elements "
          "nor the small ones are kept. Of what is left, elements are left out that have not the "
          "elected sign, as in ties. With normalize each element is divided by the sum of the "
          "weights of the models that are left there.",
      .formula = "base + lambda*sum(k_i), k_i = w_i*trim(x_i - base) of the elected sign",
      .source = "Model Breadcrumbs, arXiv:2312.06795; mergekit's breadcrumbs_ties",
      .example =
          "mix: {op: breadcrumbs_ties, base: base, of: [{model: photo, weight: 0.6}, {model: "
          "anime, weight: 0.4}], density: 0.85, gamma: 0.01}",
      .uses = {"combine several fine-tunes", "leave outliers out", "language models"},
      .operands = {BaseOperand()},
      .list = FineTunes(true),
      .result = Kind::kWeight,
      .parameters = {DensityParameter(0.9, "The share of each difference that is kept."),
                     GammaParameter(),
                     NormalizeParameter(false, "Whether to divide by the weights that agree."),
                     SignParameter(), LambdaParameter(), RescaleParameter("none")},
      .check = CheckFineTunes,
      .check_tensor = CheckSumOfPresent,
      .lower = LowerBreadcrumbsTies,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
