#include "merge/arithmetic/combine.h"

#include <string_view>

#include "merge/arithmetic/cells.h"
#include "merge/arithmetic/median.h"
#include "merge/arithmetic/stock.h"
#include "merge/arithmetic/task_vectors.h"

namespace weightsmith::internal {
namespace {

/// The geometric median of what is left; where `normalize`, over the mean of the weights.
Value MedianOfAgreed(Lowering& tape, std::span<const Value> agreed, std::span<const double> weights,
                     bool normalize) {
  double total = 0;
  for (const double weight : weights) total = tape.Sum(total, weight);
  const Value median = MedianOf(tape, agreed);
  if (!normalize || total == 0) return median;
  return tape.Divide(median, total / static_cast<double>(weights.size()));
}

}  // namespace

ParameterSpec CombineParameter() {
  return {.name = "combine",
          .type = ParameterType::kWord,
          .default_value = 0,
          .words = {"mean", "stock", "median"},
          .doc =
              "What is made of the changes that are left: their mean, the mean scaled by how far "
              "they agree, or their geometric median."};
}

Value CombineAgreed(Lowering& tape, const Arguments& given, std::span<const Value> agreed) {
  const bool normalize = given.parameters.Flag("normalize");
  const std::string_view combine = given.parameters.Word("combine");
  if (combine == "median") return MedianOfAgreed(tape, agreed, given.weights, normalize);
  const Value sum = SumOfPresent(tape, agreed, given.weights, normalize);
  if (combine == "mean" || agreed.size() < 2) return sum;
  const Cells rows = Cells::Rows(given.shape);
  const Scalar ratio = StockRatio(tape, MeanCosine(tape, rows, agreed), agreed.size());
  return rows.Scale(tape, ratio, sum);
}

}  // namespace weightsmith::internal
