#include "merge/arithmetic/model_range.h"
#include "merge/arithmetic/similarity.h"
#include "merge/operator.h"

namespace weightsmith::internal::operators {
namespace {

Value LowerCosineB(Lowering& tape, const Arguments& given) {
  const Value a = given.operands[0];
  const Value b = given.operands[1];
  const double alpha = tape.Round(given.parameters.Number("alpha"));
  if (a == b) return a;
  const Grid columns = AcrossRows(given.shape);
  const Scalar of_columns = CosineOf(tape, columns, a, b);
  const Scalar both = tape.Over(tape.Plus(of_columns, Cosine(tape, a, b)), 2);
  const bool alone = given.parameters.Word("scope") == "tensor";
  const Scalar placed = alone ? both : PlaceInModel(tape, both, both, columns);
  return BlendCells(tape, columns, ShareLess(tape, placed, alpha), a, b);
}

}  // namespace

const Operator& cosine_b() {
  static const Operator declaration{
      .name = "cosine_b",
      .summary =
          "Keeps a where both models are alike, takes b elsewhere, by columns and "
          "tensors.",
      .doc =
          "Each column (all places of the first dimension) has as its likeness the "
          "mean of its own cosine between a and b and that of the whole tensor. With "
          "`scope: model` likenesses of all tensors that the step computes are scaled "
          "to go from 0 to 1, without the outermost hundredth at either end; the "
          "models are read once more for that, before the first tensor is computed. A "
          "column is then a by its likeness less alpha, and b by the rest: a larger "
          "alpha takes more of b. Where all columns are equally alike, the result is "
          "a weighted sum.\n\n"
          "`scope: tensor` takes cosines as they are, as sd-mecha does; there alpha 1 "
          "gives b. At a negative alpha more of a is kept, where Chattiori takes its magnitude.",
      .formula =
          "s*a + (1 - s)*b, s = clip((k - low)/(high - low) - alpha, 0, 1), k = (cos "
          "of the column + cos of the tensor)/2, low and high of k; of a tensor alone "
          "s = clip(k - alpha, 0, 1)",
      .source = "SuperMerger, \"cosineB\"; sd-mecha's add_cosine_b",
      .example = "mix: {op: cosine_b, a: photo, b: anime, alpha: 0.2}",
      .uses = {"keep composition, take style", "blend two models", "style transfer"},
      .operands = {{.name = "a", .doc = "What is kept where both are most alike."},
                   {.name = "b", .doc = "What takes its place elsewhere."}},
      .parameters = {LessParameter(), ScopeParameter()},
      .lower = LowerCosineB,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
