#include "merge/arithmetic/task_vectors.h"
#include "merge/program/matrix.h"
#include "merge/program/task_matrices.h"

namespace weightsmith::internal::operators {
namespace {

Value LowerSvc(Lowering& tape, const Arguments& given) {
  const Value base = given.operands[0];
  const Value merged = given.operands[1];
  if (given.shape.size() == 1) return merged;
  std::vector<Value> deltas = {tape.Subtract(merged, base)};
  for (const Value delta : Differences(tape, given)) deltas.push_back(delta);
  const double least = given.parameters.Number("alpha");
  const Value calibrated = tape.Transformed(CalibratedSpectrum(), deltas, {.least = least});
  tape.Tell("factor", tape.ToldBy(calibrated, 0));
  tape.TellIfAny("not finite", tape.ToldBy(calibrated, kToldNotFinite));
  return tape.Add(base, calibrated);
}

}  // namespace

const Operator& svc() {
  static const Operator declaration{
      .name = "svc",
      .summary = "Scales down the directions in which a merge adds up what its models share.",
      .doc =
          "It comes after any merge of fine-tunes, `a`, and knows the models that went into it. In "
          "each direction of the merge's difference to the base, how much of it there is in "
          "proportion to each model is measured; a share above 1 says that models agree and were "
          "added up. Each singular value is divided by the mean of these shares, which count as "
          "`alpha` at least, so that what the merge has weakened is raised again, up to 1/alpha of "
          "it; with alpha 1 nothing is raised. Directions stay what they are. A convolution is a "
          "matrix of its outputs and all else; what is no matrix stays what it is in a. Tensors "
          "are held whole.",
      .formula =
          "base + U*(S / mean_i(max(alpha, s_i)))*V', U*S*V' = a - base, s_i = <u'*(a - base), "
          "u'*(x_i - base)> / |u'*(x_i - base)|^2 for each direction u",
      .source = "Singular Value Calibration, arXiv:2602.05536; its authors' and FusionBench's code",
      .example = "mix: {op: svc, base: base, a: sum, of: [photo, anime]}",
      .uses = {"repair a merge of many fine-tunes", "many fine-tunes of one base",
               "reduce interference"},
      .operands = {BaseOperand(), {.name = "a", .kind = Kind::kWeight, .doc = "The merge."}},
      .list = FineTunes(false),
      .result = Kind::kWeight,
      .parameters = {{.name = "alpha",
                      .default_value = 0.1,
                      .by_place = true,
                      .low = 0.001,
                      .high = 1,
                      .doc = "The least that a share counts as."}},
      .check = CheckFineTunes,
      .lower = LowerSvc,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
