#include "merge/arithmetic/combine.h"
#include "merge/arithmetic/rescale.h"
#include "merge/arithmetic/task_vectors.h"
#include "merge/arithmetic/trim.h"

namespace weightsmith::internal::operators {
namespace {

Value LowerTies(Lowering& tape, const Arguments& given) {
  const ParameterValues& parameters = given.parameters;
  std::vector<Value> kept = Differences(tape, given);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const double density = given.Entry("density", i);
    const Value whole = kept[i];
    kept[i] = Rescale(tape, parameters.Word("rescale"), density, whole,
                      Trim(tape, whole, density, parameters.Word("trim")));
    tape.TellShare("kept", kept[i], Subject::Entry(i));
  }
  const std::vector<Value> agreed =
      OfElectedSign(tape, Weighted(tape, kept, given.weights), parameters.Word("sign"));
  return AddToBase(tape, given, CombineAgreed(tape, given, agreed));
}

}  // namespace

const Operator& ties() {
  static const Operator declaration{
      .name = "ties",
      .summary = "Adds what fine-tunes agree on: the largest changes, of the sign that outweighs.",
      .doc =
          "Of every model's difference to the base the largest elements are kept, as many as "
          "density says, by magnitude over the whole tensor; equal magnitudes at the limit are all "
          "kept, as in the code of the paper's authors and in sd-mecha, so that what is kept does "
          "not depend on where it stands (mergekit keeps some of them, and does not say which). "
          "Where models disagree on a sign, elements of one are left out: the sign with the "
          "larger weighted sum counts, or with `sign: frequency` the one that more models have (+ "
          "where both are equal). With normalize each element is divided by the sum of the weights "
          "of the models that are left there.\n\n"
          "A density for all models may be replaced by one for each: {model: photo, weight: 0.6, "
          "density: 0.3}. Without one it is 0.2, which the paper advises and sd-mecha takes; "
          "mergekit "
          "takes 1. A density that keeps no element of a tensor adds nothing, where mergekit "
          "fails. sd-mecha's ties_sum is `trim: mecha, sign: majority` with weights of 1; it votes "
          "by the sum of the changes where `vote_sgn` is set, which is `sign: total`.\n\n"
          "With `combine: stock` each row of a matrix is then scaled down by how far the models' "
          "changes in it that are left point the same way, as model_stock does; with `combine: "
          "median` the geometric median of the changes takes the place of their mean, so that a "
          "model that is far off counts little (and normalize divides it by the mean of the "
          "weights). These are sd-mecha's ties_sum_extended: `stock` what it does unless "
          "`apply_stock` is set, which is the wrong way round there, and `median` its "
          "`apply_median`.",
      .formula =
          "base + lambda*sum(k_i) / sum(w_i where k_i != 0), k_i = w_i*trim(x_i - base) of the "
          "elected sign",
      .source = "TIES-Merging, arXiv:2306.01708; mergekit's ties",
      .example =
          "mix: {op: ties, base: base, of: [{model: photo, weight: 0.6}, {model: anime, "
          "weight: 0.4}], density: 0.3}",
      .uses = {"combine several fine-tunes", "fewer conflicts between fine-tunes",
               "language models"},
      .operands = {BaseOperand()},
      .list = FineTunes(true),
      .result = Kind::kWeight,
      .parameters = {DensityParameter(0.2, "The share of each difference that is kept."),
                     NormalizeParameter(true, "Whether to divide by the weights that agree."),
                     SignParameter(), LambdaParameter(), TrimParameter(), RescaleParameter("none"),
                     CombineParameter()},
      .check = CheckFineTunes,
      .check_tensor = CheckSumOfPresent,
      .lower = LowerTies,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
