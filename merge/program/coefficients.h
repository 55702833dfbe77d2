// The value that a tape computes as a linear combination of its sources.
#pragma once

#include <optional>
#include <vector>

#include "merge/program/tape.h"

namespace weightsmith::internal {

/// The coefficient of each of the tape's sources in the value that `result` has when the tape has
/// run; nothing when it is no linear combination of them. Computed in f64 from the tape's scalars,
/// which are rounded to its working precision.
std::optional<std::vector<double>> LinearCoefficients(const Tape& tape, Register result);

}  // namespace weightsmith::internal
