// Which elements of differences were changed by one model alone, and which by several.
#pragma once

#include <vector>

#include "merge/operator.h"

namespace weightsmith::internal {

/// `epsilon`: what a change exceeds.
ParameterSpec EpsilonParameter();

struct Overlap {
  std::vector<Value> changes;   ///< each difference where its magnitude exceeds epsilon, else 0
  Value sum = Value::Zero();    ///< of the changes
  Value count = Value::Zero();  ///< how many there are, by element
};

/// Reports which share of the elements was changed, and by several.
void TellOverlap(Lowering& tape, const Overlap& overlap);

Overlap FindOverlap(Lowering& tape, std::vector<Value> differences, double epsilon);

}  // namespace weightsmith::internal
