#include "merge/arithmetic/mean.h"
#include "merge/arithmetic/task_vectors.h"
#include "merge/program/matrix.h"
#include "merge/program/task_matrices.h"

namespace weightsmith::internal::operators {
namespace {

Value LowerIsoC(Lowering& tape, const Arguments& given) {
  const std::vector<Value> deltas = Differences(tape, given);
  if (given.shape.size() == 1) return AddToBase(tape, given, MeanOf(tape, deltas));
  Value sum = Value::Zero();
  for (const Value delta : deltas) sum = tape.Add(sum, delta);
  const Value merged =
      tape.Transformed(IsotropicSum(), std::span(&sum, 1), {.tasks = deltas.size()});
  tape.TellCount("rank", tape.ToldBy(merged, 1), tape.ToldBy(merged, 2));
  tape.Tell("singular value", tape.ToldBy(merged, 0));
  tape.TellIfAny("not finite", tape.ToldBy(merged, kToldNotFinite));
  return AddToBase(tape, given, merged);
}

}  // namespace

const Operator& iso_c() {
  static const Operator declaration{
      .name = "iso_c",
      .summary = "Adds fine-tunes with one strength in all directions: their mean singular value.",
      .doc =
          "In a sum of fine-tunes the directions that several share outweigh those that only one "
          "has. Here the singular values of the sum are replaced by their mean, matrix by matrix, "
          "so that each direction counts the same. A convolution is a matrix of its outputs and "
          "all else (its authors average it); of what is no matrix, the mean of the differences is "
          "added.\n\n"
          "Values that are 0 count in the mean, and their directions stay at 0: what no model "
          "changed is not changed. Those that rounding of the files left are raised with all "
          "others, as the method says; `truncate_rank` before it leaves them out. Tensors are held "
          "whole.",
      .formula = "base + lambda*mean(s)*U*V', U*S*V' = sum(x_i - base)",
      .source = "No Task Left Behind (Iso-C), arXiv:2502.04959",
      .example = "mix: {op: iso_c, base: base, of: [photo, anime]}",
      .uses = {"combine what fine-tunes learned", "many fine-tunes of one base",
               "let weak changes count"},
      .operands = {BaseOperand()},
      .list = FineTunes(false),
      .result = Kind::kWeight,
      .parameters = {LambdaParameter()},
      .check = CheckFineTunes,
      .lower = LowerIsoC,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
