#include "merge/arithmetic/model_range.h"

namespace weightsmith::internal {

Scalar PlaceInModel(Lowering& tape, Scalar number, Scalar among, const Grid& cells) {
  const Lowering::Range range = tape.RangeOverModel(among, cells);
  const Scalar place = tape.Over(tape.Minus(number, range.low), tape.Minus(range.high, range.low));
  return tape.Select(range.low, range.high, place, 1);
}

Scalar ShareLess(Lowering& tape, Scalar share, double alpha) {
  return tape.Lesser(tape.Greater(tape.Minus(share, alpha), 0), 1);
}

}  // namespace weightsmith::internal
