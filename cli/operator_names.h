// Operators by the names that the command line gives.
#pragma once

#include <string>
#include <string_view>

#include "merge/operator.h"

namespace weightsmith::internal {

/// The operator of that name. Throws kUsage for an unknown one, with what other tools mean by it or
/// the nearest name; `what` begins the message: "--op".
const Operator& OperatorNamed(std::string_view what, const std::string& name);

}  // namespace weightsmith::internal
