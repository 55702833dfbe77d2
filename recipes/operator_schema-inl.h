// JSON Schemas of steps, from the declarations of the operators.
#pragma once

#include <string>

#include "core/base/json-inl.h"
#include "merge/operator.h"

namespace weightsmith::internal {

/// The definition of a step of the operator: its name under "$defs".
std::string OperatorDefinition(const Operator& op);

/// A step of the operator. What operators have in common goes to `shared`, once, by names under
/// "$defs", and is referred to; descriptions and defaults stand where it is used.
Json OperatorSchema(const Operator& op, Json& shared);

}  // namespace weightsmith::internal
