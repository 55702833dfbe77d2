// What the operators have in common that bring to a model what another one learned.
#pragma once

#include <vector>

#include "merge/operator.h"

namespace weightsmith::internal {

/// `a`, that is changed, `b`, that was trained, and `c`, what b was trained from.
std::vector<OperandSpec> ModelAndTraining();

}  // namespace weightsmith::internal
