// Elements at which two values have opposite signs: what several methods choose by.
#pragma once

#include "merge/program/lowering.h"

namespace weightsmith::internal {

/// Tells their share as "sign conflicts". A zero is opposite to nothing.
void TellOpposite(Lowering& tape, Value x, Value y);

}  // namespace weightsmith::internal
