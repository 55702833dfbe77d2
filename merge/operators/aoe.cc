#include "merge/arithmetic/task_vectors.h"

namespace weightsmith::internal::operators {
namespace {

Value LowerAoe(Lowering& tape, const Arguments& given) {
  const std::vector<Value> deltas = Differences(tape, given);
  const bool relative = given.parameters.Word("distance") == "relative";
  const Scalar unit =
      relative ? tape.Norm(given.operands[0]) : tape.SquareRoot(Scalar(given.Elements()));
  Scalar most = 0;
  for (const Value delta : deltas) {
    const Scalar norm = tape.Norm(delta);
    most = tape.Greater(most, tape.Select(0, unit, tape.Over(norm, unit), norm));
  }
  tape.Tell("distance", most);
  const Scalar threshold = tape.Round(given.parameters.Number("threshold"));
  Value result = given.operands[0];
  for (std::size_t i = 0; i < deltas.size(); ++i) {
    const Scalar weight = tape.Select(threshold, most, tape.Round(given.weights[i]), 0);
    result = tape.AddScaled(result, weight, deltas[i]);
  }
  return result;
}

}  // namespace

const Operator& aoe() {
  static const Operator declaration{
      .name = "aoe",
      .summary = "Mixes only the tensors that moved, and leaves the others as the base has them.",
      .doc =
          "A tensor moved where the difference of one of the models to the base is larger than "
          "the threshold: the root mean square of its elements, or with `distance: relative` its "
          "norm over that of the base. There every model's difference is added with its weight; "
          "all other tensors are those of the base. The share of the base is what the weights "
          "leave of 1. Which tensors may be mixed at all is said by weights by place.\n\n"
          "The paper merges tensors whose normalised distance exceeds a threshold likewise, and "
          "has published no code that says in which unit. Here the norm of the difference is "
          "divided by what makes tensors of all sizes comparable, the root of the number of "
          "elements, or with `relative` by the base's own norm, for which the scale of a tensor "
          "makes no difference either. So take thresholds from the distances that the report "
          "says of your models (`distance`, by component and by tensor), not from the paper.",
      .formula = "base + sum(w_i*(x_i - base)) where max(|x_i - base|) / sqrt(n) > threshold",
      .source = "Ours, after Assembly of Experts, arXiv:2506.14794",
      .example =
          "mix: {op: aoe, base: chat, of: [{model: reasoner, weight: 0.5}], threshold: 0.003}",
      .uses = {"take what really changed", "mixture-of-experts models", "language models"},
      .operands = {BaseOperand()},
      .list = FineTunes(true),
      .result = Kind::kWeight,
      .parameters = {{.name = "threshold",
                      .by_place = true,
                      .low = 0,
                      .high = 1e6,
                      .doc = "The distance above which a tensor moved."},
                     {.name = "distance",
                      .type = ParameterType::kWord,
                      .default_value = 0,
                      .words = {"rms", "relative"},
                      .doc = "Of an element on average, or relative to the base."}},
      .check = CheckFineTunes,
      .lower = LowerAoe,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
