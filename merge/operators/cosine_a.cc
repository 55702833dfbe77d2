#include "merge/arithmetic/model_range.h"
#include "merge/arithmetic/similarity.h"
#include "merge/operator.h"

namespace weightsmith::internal::operators {
namespace {

Value LowerCosineA(Lowering& tape, const Arguments& given) {
  const Value a = given.operands[0];
  const Value b = given.operands[1];
  const double alpha = tape.Round(given.parameters.Number("alpha"));
  if (a == b) return a;
  const Grid columns = AcrossRows(given.shape);
  const Scalar of_columns = CosineOf(tape, columns, a, b);
  if (given.parameters.Word("scope") == "tensor") {
    return BlendCells(tape, columns, ShareLess(tape, of_columns, alpha), a, b);
  }
  // The range is that of the columns alone; each is placed in it together with its tensor.
  const Scalar of_tensor = CosineOfDirections(tape, columns, given.shape, a, b);
  const Scalar both = tape.Over(tape.Plus(of_columns, of_tensor), 2);
  const Scalar placed = PlaceInModel(tape, both, of_columns, columns);
  return BlendCells(tape, columns, ShareLess(tape, placed, alpha), a, b);
}

}  // namespace

const Operator& cosine_a() {
  static const Operator declaration{
      .name = "cosine_a",
      .summary =
          "Keeps a where both models are alike, takes b elsewhere, by the angle of "
          "columns.",
      .doc =
          "Each column (all places of the first dimension) has the cosine between a "
          "and b as its likeness. With `scope: model` likenesses of all tensors that "
          "the step computes are scaled to go from 0 to 1, without the outermost "
          "hundredth at either end, after the cosine of the whole tensor was averaged "
          "in, in which every column counts alike, whatever its norm; the models are read once "
          "more for that, before the first tensor is "
          "computed. A column is then a by its likeness less alpha, and b by the "
          "rest: a larger alpha takes more of b. Where all columns are equally alike, "
          "the result is a weighted sum.\n\n"
          "`scope: tensor` takes cosines as they are, as sd-mecha does; there alpha 1 "
          "gives b. At a negative alpha more of a is kept, where SuperMerger's cosineA "
          "and Chattiori take its magnitude.",
      .formula =
          "s*a + (1 - s)*b, s = clip((k - low)/(high - low) - alpha, 0, 1), k = (cos "
          "of the column + cos of the tensor, its columns over their norms)/2, low and high of the "
          "cosines of "
          "columns; of a tensor alone s = clip(cos - alpha, 0, 1)",
      .source = "SuperMerger, \"cosineA\"; sd-mecha's add_cosine_a",
      .example = "mix: {op: cosine_a, a: photo, b: anime, alpha: 0.2}",
      .uses = {"keep composition, take style", "blend two models", "style transfer"},
      .operands = {{.name = "a", .doc = "What is kept where both are most alike."},
                   {.name = "b", .doc = "What takes its place elsewhere."}},
      .parameters = {LessParameter(), ScopeParameter()},
      .lower = LowerCosineA,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
