#include <cmath>

#include "merge/arithmetic/mean.h"
#include "merge/arithmetic/task_vectors.h"
#include "merge/program/matrix.h"
#include "merge/program/subspaces.h"
#include "merge/program/task_matrices.h"

namespace weightsmith::internal::operators {
namespace {

CoreMerge CoreMergeOf(std::string_view word) {
  if (word == "sum") return CoreMerge::kSum;
  return word == "iso" ? CoreMerge::kIsotropic : CoreMerge::kTaskSingularVectors;
}

Value LowerCoreSpace(Lowering& tape, const Arguments& given) {
  const std::vector<Value> deltas = Differences(tape, given);
  if (given.shape.size() == 1) return AddToBase(tape, given, MeanOf(tape, deltas));
  const double rank = std::rint(given.parameters.Number("rank"));
  const Value merged = tape.Transformed(CoreSpace(), deltas,
                                        {.rank = static_cast<std::size_t>(rank),
                                         .merge = CoreMergeOf(given.parameters.Word("merge"))});
  tape.TellCount("rank", tape.ToldBy(merged, 0), tape.ToldBy(merged, 1));
  tape.TellIfAny("not finite", tape.ToldBy(merged, kToldNotFinite));
  return AddToBase(tape, given, merged);
}

}  // namespace

const Operator& core_space() {
  static const Operator declaration{
      .name = "core_space",
      .summary = "Merges fine-tunes of low rank in the small space that they span together.",
      .doc =
          "Each model's difference to the base is reduced to its `rank` largest directions, which "
          "of one that was trained as a LoRA of that rank is all of it. All of them together span "
          "a space of at most T*rank directions on each side; in it every model is a small matrix, "
          "and these are merged: by tsv as tsv_merge does, by iso as iso_c, where the mean is that "
          "of the small matrix, or by their sum. The result is brought back to the full size. A "
          "convolution is a matrix of its outputs and all else; of what is no matrix, the mean of "
          "the differences is added. Tensors are held whole.",
      .formula =
          "base + lambda*L*merge(L'*D_i*R)*R', D_i the largest of x_i - base, L and R orthogonal "
          "bases of all their left and right vectors",
      .source = "Accurate and Efficient Low-Rank Model Merging in Core Space, arXiv:2509.17786",
      .example = "mix: {op: core_space, base: base, of: [photo, anime], rank: 16, merge: tsv}",
      .uses = {"merge LoRAs that were baked", "combine what fine-tunes learned"},
      .operands = {BaseOperand()},
      .list = FineTunes(false),
      .result = Kind::kWeight,
      .parameters = {{.name = "rank",
                      .default_value = 16.0,
                      .by_place = true,
                      .low = 1,
                      .high = 65535,
                      .doc = "Directions of each model.",
                      .whole = true},
                     {.name = "merge",
                      .type = ParameterType::kWord,
                      .default_value = 0,
                      .words = {"tsv", "iso", "sum"},
                      .doc = "What is done in the small space."},
                     LambdaParameter()},
      .check = CheckFineTunes,
      .lower = LowerCoreSpace,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
