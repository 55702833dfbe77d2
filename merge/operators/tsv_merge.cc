#include "merge/arithmetic/mean.h"
#include "merge/arithmetic/task_vectors.h"
#include "merge/program/task_matrices.h"

namespace weightsmith::internal::operators {
namespace {

Value LowerTsvMerge(Lowering& tape, const Arguments& given) {
  const std::vector<Value> deltas = Differences(tape, given);
  if (given.shape.size() == 1) return AddToBase(tape, given, MeanOf(tape, deltas));
  const Value merged = tape.Transformed(TaskSingularVectors(), deltas, {});
  tape.TellIfAny("not finite", tape.ToldBy(merged, deltas.size()));
  for (std::size_t i = 0; i < deltas.size(); ++i) {
    tape.Tell("energy kept", tape.ToldBy(merged, i), Unit::kShare, Subject::Entry(i));
  }
  return AddToBase(tape, given, merged);
}

}  // namespace

const Operator& tsv_merge() {
  static const Operator declaration{
      .name = "tsv_merge",
      .summary = "Adds the main directions of every fine-tune, made orthogonal to each other's.",
      .doc =
          "Of each model's difference to the base the largest singular values and vectors are "
          "kept, "
          "of T models a T-th of all (one at least). Vectors of different models that point the "
          "same way would add up; those of each side are replaced by the nearest orthogonal ones, "
          "so that no model writes over what another has learned. A convolution is a matrix of its "
          "outputs and all else; of what is no matrix, the mean of the differences is added.\n\n"
          "A direction that two models share exactly has no orthogonal counterpart and counts "
          "once. "
          "Its authors do this to the matrices of an image encoder and average all else, "
          "convolutions too: `within` selects what to merge so. Tensors are held whole.",
      .formula =
          "base + lambda*polar([U_1 ... U_T])*[S_1 ... S_T]*polar([V_1 ... V_T])', U_i*S_i*V_i' "
          "the "
          "largest of x_i - base",
      .source = "Task Singular Vectors (TSV-M), arXiv:2412.00081",
      .example = "mix: {op: tsv_merge, base: base, of: [photo, anime]}",
      .uses = {"combine what fine-tunes learned", "many fine-tunes of one base",
               "reduce interference"},
      .operands = {BaseOperand()},
      .list = FineTunes(false),
      .result = Kind::kWeight,
      .parameters = {LambdaParameter()},
      .check = CheckFineTunes,
      .lower = LowerTsvMerge,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
