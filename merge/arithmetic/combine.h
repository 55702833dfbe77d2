// How the changes that models agree on become one.
#pragma once

#include <span>

#include "merge/operator.h"

namespace weightsmith::internal {

/// `combine`: mean, stock or median.
ParameterSpec CombineParameter();

/// What of the terms that are left is added, by the words `combine` and `normalize`.
Value CombineAgreed(Lowering& tape, const Arguments& given, std::span<const Value> agreed);

}  // namespace weightsmith::internal
