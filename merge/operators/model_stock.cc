#include "merge/arithmetic/stock.h"
#include "merge/arithmetic/task_vectors.h"

namespace weightsmith::internal::operators {
namespace {

Value LowerModelStock(Lowering& tape, const Arguments& given) {
  const Value base = given.operands[0];
  const auto count = static_cast<double>(given.list.size());
  std::vector<Value> deltas;
  Value sum = Value::Zero();
  for (const Value model : given.list) {
    deltas.push_back(tape.Subtract(model, base));
    sum = tape.Add(sum, model);
  }
  const bool by_filter = given.parameters.Word("by") == "filter";
  const Cells cells = by_filter ? Cells::Rows(given.shape) : Cells::Tensor();
  const Scalar mean = MeanCosine(tape, cells, deltas);
  const Scalar ratio = StockRatio(tape, mean, given.list.size());
  tape.Tell("angle", tape.Degrees(tape.ArcCosine(mean)), Unit::kDegrees);
  tape.Tell("ratio", ratio);
  return cells.Blend(tape, ratio, tape.Divide(sum, count), tape.Minus(1, ratio), base);
}

}  // namespace

const Operator& model_stock() {
  static const Operator declaration{
      .name = "model_stock",
      .summary = "Averages fine-tunes, nearer to their base the less they point the same way.",
      .doc =
          "The mean of the models is pulled towards the base by the angle between their "
          "differences to it, tensor by tensor: fine-tunes that agree are averaged, where they "
          "have nothing in common the base stays. A mean cosine below 0 counts as 0, where "
          "mergekit moves away from the models. With `by: filter` every row of a matrix (what "
          "belongs to one output, of a convolution all of its kernel) has an angle of its own; "
          "mergekit's filter_wise and sd-mecha's model_stock take the last dimension, which is the "
          "same for matrices.",
      .formula =
          "t*mean(x_i) + (1 - t)*base, t = n*c / (1 + (n - 1)*c), c the mean cosine of all "
          "pairs of differences",
      .source = "Model Stock, arXiv:2403.19522; mergekit's model_stock",
      .example = "stock: {op: model_stock, base: base, of: [photo, anime]}",
      .uses = {"average fine-tunes of one base without tuning weights", "soup of several models"},
      .operands = {{.name = "base", .kind = Kind::kWeight, .doc = "What all were trained from."}},
      .list = OperandListSpec{.name = "of", .kind = Kind::kWeight, .doc = "The fine-tuned models."},
      .result = Kind::kWeight,
      .parameters = {{.name = "by",
                      .type = ParameterType::kWord,
                      .default_value = 0,
                      .words = {"tensor", "filter"},
                      .doc = "What has an angle of its own."},
                     VaeParameter()},
      .check = CheckTwoFineTunes,
      .lower = LowerModelStock,
  };
  return declaration;
}

}  // namespace weightsmith::internal::operators
