#include "merge/arithmetic/mean.h"
#include "merge/arithmetic/task_vectors.h"
#include "merge/program/matrix.h"
#include "merge/program/truncation.h"

namespace weightsmith::internal::operators {
namespace {

Value LowerStar(Lowering& tape, const Arguments& given) {
  std::vector<Value> deltas = Differences(tape, given);
  for (std::size_t i = 0; i < deltas.size() && given.shape.size() != 1; ++i) {
    const double share = given.Entry("share", i);
    if (share == 1) continue;
    deltas[i] = tape.Transformed(LargestShare(), std::span(&deltas[i], 1), {.share = share});
    tape.TellCount("rank", tape.ToldBy(deltas[i], 0), tape.ToldBy(deltas[i], 1), Subject::Entry(i));
    tape.TellIfAny("not finite", tape.ToldBy(deltas[i], kToldNotFinite), Subject::Entry(i));
  }
  return AddToBase(tape, given, MeanOf(tape, deltas));
}

}  // namespace

const Operator& star() {
  static const Operator declaration{
      .name = "star",
      .summary = "Averages fine-tunes without their small directions, rescaled to their size.",
      .doc =
          "Of each model's difference to the base the largest singular values are kept, as few as "
          "make up `share` of the sum of all, and scaled so that they have that sum. What "
          "conflicts "
          "with other models is mostly in the small ones. The mean of what is left is added. A "
          "convolution is a matrix of its outputs and all else; what is no matrix is averaged as "
          "it is. Tensors are held whole.",
      .formula =
          "base + lambda*mean(U_i*S_i*V_i'*(|x_i - base| / |S_i|)), S_i the largest singular "
          "values "
          "of x_i - base, |.| the sum of them",
      .source = "STAR: Spectral Truncation and Rescale, arXiv:2502.10339",
      .example = "mix: {op: star, base: base, of: [photo, anime], share: 0.4}",
      .uses = {"combine what fine-tunes learned", "reduce interference", "language models"},
      .operands = {BaseOperand()},
      .list = FineTunes(false),
      .result = Kind::kWeight,
      .parameters = {{.name = "share",
                      .default_value = 0.4,
                      .by_place = true,
                      .by_entry = true,
                      .low = 0,
                      .high = 1,
                      .doc = "Of the sum of each difference's singular values, how much is kept."},
                     LambdaParameter()},
      .check = CheckFineTunes,
      .lower = LowerStar,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
