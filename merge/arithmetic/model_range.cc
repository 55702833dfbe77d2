#include "merge/arithmetic/model_range.h"

namespace weightsmith::internal {

ParameterSpec LessParameter() {
  return {.name = "alpha", .by_place = true, .low = -1, .high = 1, .doc = "How much less of a."};
}

ParameterSpec ScopeParameter() {
  return {.name = "scope",
          .type = ParameterType::kWord,
          .default_value = 0,
          .words = {"model", "tensor"},
          .doc = "What a likeness is compared with."};
}

Scalar PlaceInModel(Lowering& tape, Scalar number, Scalar among, const Grid& cells) {
  const Lowering::Range range = tape.RangeOverModel(among, cells);
  const Scalar place = tape.Over(tape.Minus(number, range.low), tape.Minus(range.high, range.low));
  return tape.Select(range.low, range.high, place, 1);
}

Scalar ShareLess(Lowering& tape, Scalar share, double alpha) {
  return tape.Lesser(tape.Greater(tape.Minus(share, alpha), 0), 1);
}

}  // namespace weightsmith::internal
