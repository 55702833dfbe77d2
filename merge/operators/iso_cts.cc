#include "merge/arithmetic/mean.h"
#include "merge/arithmetic/task_vectors.h"
#include "merge/program/matrix.h"
#include "merge/program/task_matrices.h"

namespace weightsmith::internal::operators {
namespace {

Value LowerIsoCts(Lowering& tape, const Arguments& given) {
  const std::vector<Value> deltas = Differences(tape, given);
  if (given.shape.size() == 1) return AddToBase(tape, given, MeanOf(tape, deltas));
  const double common = given.parameters.Number("common");
  const Value merged = tape.Transformed(CommonAndOwnSubspaces(), deltas, {.common = common});
  tape.TellCount("common rank", tape.ToldBy(merged, 1), tape.ToldBy(merged, 2));
  tape.Tell("singular value", tape.ToldBy(merged, 0));
  tape.TellIfAny("not finite", tape.ToldBy(merged, kToldNotFinite));
  return AddToBase(tape, given, merged);
}

}  // namespace

const Operator& iso_cts() {
  static const Operator declaration{
      .name = "iso_cts",
      .summary = "As iso_c, with a share of the directions kept for what each fine-tune has alone.",
      .doc =
          "The share `common` of the directions comes from the sum of all differences to the base. "
          "The others are divided evenly: from each model the largest directions of what it has "
          "outside the common ones. All vectors are made orthogonal, and all get one singular "
          "value, the mean of those that were taken. A convolution is a matrix of its outputs and "
          "all else (its authors average it); of what is no matrix, the mean of the differences is "
          "added. Tensors are held whole.",
      .formula =
          "base + lambda*mean(s)*polar([U_1 ... U_T U_c])*polar([V_1 ... V_T V_c])', U_i of (1 - "
          "U_c*U_c')*(x_i - base), U_c of sum(x_i - base)",
      .source = "No Task Left Behind (Iso-CTS), arXiv:2502.04959",
      .example = "mix: {op: iso_cts, base: base, of: [photo, anime], common: 0.8}",
      .uses = {"combine what fine-tunes learned", "many fine-tunes of one base",
               "keep what each model has alone"},
      .operands = {BaseOperand()},
      .list = FineTunes(false),
      .result = Kind::kWeight,
      .parameters = {{.name = "common",
                      .default_value = 0.8,
                      .by_place = true,
                      .low = 0,
                      .high = 1,
                      .doc = "The share of the directions that comes from the sum."},
                     LambdaParameter()},
      .check = CheckFineTunes,
      .lower = LowerIsoCts,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
