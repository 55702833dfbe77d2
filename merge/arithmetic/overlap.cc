#include "merge/arithmetic/overlap.h"

#include <utility>

namespace weightsmith::internal {

ParameterSpec EpsilonParameter() {
  return {.name = "epsilon",
          .default_value = 1e-5,
          .by_place = true,
          .low = 0,
          .high = 1e6,
          .doc = "An element is changed where it differs from the base by more."};
}

Overlap FindOverlap(Lowering& tape, std::vector<Value> differences, double epsilon) {
  Overlap overlap{.changes = std::move(differences)};
  for (Value& change : overlap.changes) {
    const Value limit = tape.Constant(epsilon);
    change = tape.KeepBelow(change, limit, tape.Magnitude(change));
    overlap.sum = tape.Add(overlap.sum, change);
    overlap.count = tape.Add(overlap.count, tape.WhereNotZero(1, change));
  }
  return overlap;
}

void TellOverlap(Lowering& tape, const Overlap& overlap) {
  tape.TellShare("changed", overlap.count);
  tape.TellShare("changed by several",
                 tape.KeepBelow(tape.Constant(1), tape.Constant(1.5), overlap.count));
}

}  // namespace weightsmith::internal
