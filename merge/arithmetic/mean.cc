#include "merge/arithmetic/mean.h"

namespace weightsmith::internal {

Value MeanOf(Lowering& tape, std::span<const Value> values) {
  Value sum = Value::Zero();
  for (const Value value : values) sum = tape.Add(sum, value);
  return tape.Divide(sum, static_cast<double>(values.size()));
}

}  // namespace weightsmith::internal
