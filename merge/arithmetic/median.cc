#include "merge/arithmetic/median.h"

#include <vector>

#include "merge/arithmetic/mean.h"
#include "merge/program/weiszfeld.h"

namespace weightsmith::internal {

Value MedianOf(Lowering& tape, std::span<const Value> values) {
  const Value mean = MeanOf(tape, values);
  std::vector<Value> deltas;
  for (const Value value : values) deltas.push_back(tape.Subtract(value, mean));
  // The distances to any blend of the values follow from these.
  std::vector<Scalar> products;
  for (std::size_t i = 0; i < deltas.size(); ++i) {
    for (std::size_t j = 0; j <= i; ++j) products.push_back(tape.Dot(deltas[i], deltas[j]));
  }
  Value median = Value::Zero();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Scalar share = tape.Call(ShareInMedian(), products, i);
    tape.Tell("share", share, Unit::kShare, Subject::Entry(i));
    median = tape.AddScaled(median, share, values[i]);
  }
  return median;
}

}  // namespace weightsmith::internal
