// What became of a tensor, as one number: what functions of tensors tell of what they did.
#pragma once

#include <span>

#include "merge/program/poll.h"

namespace weightsmith::internal {

/// The squares of all elements after it over those before; NaN of zeros.
double EnergyLeft(std::span<const float> before, std::span<const float> after, const Poll& poll);

/// The angle between both as vectors, in radians; NaN of zeros.
double AngleBetween(std::span<const float> before, std::span<const float> after, const Poll& poll);

}  // namespace weightsmith::internal
