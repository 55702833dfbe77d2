#include "merge/operator.h"

namespace weightsmith::internal::operators {
namespace {

Value LowerEma(Lowering& tape, const Arguments& given) {
  const Value a = given.operands[0];
  if (given.list.empty()) return a;
  const double alpha = tape.Round(given.parameters.Number("alpha"));
  return tape.Blend(tape.Difference(1, alpha), a, alpha, given.list[0]);
}

bool HasAverage(const Arguments& given) {
  return !given.list.empty();
}

}  // namespace

const Operator& ema() {
  static const Operator declaration{
      .name = "ema",
      .summary =
          "Takes a model's weights from the moving averages that its own file "
          "carries.",
      .doc =
          "Training may keep an exponential moving average of the weights; "
          "checkpoints that were not pruned carry it as `model_ema.` beside the "
          "weights. It is often smoother. Only the diffusion model has such copies; "
          "text encoders and the VAE stay. At alpha 1 the averages replace the "
          "weights. a is a model, not a step. A file without averages is an error, as "
          "any step without effect.",
      .formula = "(1 - alpha)*a + alpha*ema(a)",
      .source = "Chattiori's keep_ema; sd-mecha's exchange_ema, one way",
      .example = "smooth: {op: ema, a: photo, alpha: 1}",
      .uses = {"use the moving average of a training",
               "smoother weights of an unpruned checkpoint"},
      .operands = {{.name = "a", .kind = Kind::kWeight, .doc = "The model, with its EMA copies."}},
      .result = Kind::kWeight,
      .parameters = {{.name = "alpha",
                      .default_value = 1.0,
                      .by_place = true,
                      .low = 0,
                      .high = 1,
                      .doc = "Share of the moving average."}},
      .reads_ema = true,
      .concerns = HasAverage,
      .lacks = "has no moving averages (EMA copies) of its weights",
      .lower = LowerEma,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
