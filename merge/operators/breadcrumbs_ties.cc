#include "merge/arithmetic/rescale.h"
#include "merge/arithmetic/task_vectors.h"
#include "merge/arithmetic/trim.h"

namespace weightsmith::internal::operators {
namespace {

std::string CheckBreadcrumbsTies(const ArgumentsGiven& given) {
  return CheckFineTunes(given);
}

Value LowerBreadcrumbsTies(Lowering& tape, const Arguments& given) {
  std::vector<Value> kept = Differences(tape, given);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const double density = given.Entry("density", i);
    const Value whole = kept[i];
    kept[i] = Rescale(tape, given.parameters.Word("rescale"), density, whole,
                      TrimBothEnds(tape, whole, density, given.Entry("gamma", i)));
    tape.TellShare("kept", kept[i], Subject::Entry(i));
  }
  const std::vector<Value> agreed =
      OfElectedSign(tape, Weighted(tape, kept, given.weights), given.parameters.Word("sign"));
  return AddToBase(tape, given,
                   SumOfPresent(tape, agreed, given.weights, given.parameters.Flag("normalize")));
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
      .parameters = {DensityParameter("The share of each difference that is kept."),
                     {.name = "gamma",
                      .default_value = 0.01,
                      .by_place = true,
                      .by_entry = true,
                      .low = 0,
                      .high = 1,
                      .doc = "The share of largest elements that is left out."},
                     NormalizeParameter(false, "Whether to divide by the weights that agree."),
                     SignParameter(),
                     LambdaParameter(),
                     RescaleParameter("none")},
      .check = CheckBreadcrumbsTies,
      .check_tensor = CheckSumOfPresent,
      .lower = LowerBreadcrumbsTies,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
