#include "merge/arithmetic/stock.h"

namespace weightsmith::internal {

Scalar MeanCosine(Lowering& tape, const Cells& cells, std::span<const Value> deltas) {
  Scalar sum = 0;
  double pairs = 0;
  for (std::size_t i = 0; i < deltas.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const Scalar norms = tape.Times(cells.Norm(tape, deltas[i]), cells.Norm(tape, deltas[j]));
      const Scalar cosine = tape.Over(cells.Dot(tape, deltas[i], deltas[j]), norms);
      sum = tape.Plus(sum, tape.Select(0, norms, tape.Lesser(tape.Greater(cosine, -1), 1), 0));
      ++pairs;
    }
  }
  return tape.Over(sum, pairs);
}

Scalar StockRatio(Lowering& tape, Scalar mean_cosine, std::size_t count) {
  const auto models = static_cast<double>(count);
  const Scalar cosine = tape.Greater(mean_cosine, 0);
  return tape.Over(tape.Times(models, cosine), tape.Plus(1, tape.Times(models - 1, cosine)));
}

}  // namespace weightsmith::internal
