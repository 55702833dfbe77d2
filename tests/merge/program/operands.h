// The operands of a lowering of three sources.
#pragma once

#include "merge/program/lowering.h"

namespace weightsmith::internal {

inline const Value kX = Value::Of(0);
inline const Value kY = Value::Of(1);
inline const Value kZ = Value::Of(2);

}  // namespace weightsmith::internal
