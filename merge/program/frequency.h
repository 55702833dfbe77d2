// A filter of the frequencies of a tensor, along all its dimensions at once.
#pragma once

#include "merge/program/program.h"

namespace weightsmith {

/// Of one tensor and the numbers {alpha, tilt}, tilt from 0 to 4: what passes of it. A frequency
/// has a radius r from 0 (the mean) to 1; up to tilt 2 the filter passes high ones, from there on
/// low ones. At tilt 0, which 4 is too, it passes r > 1 - alpha, at 2 r < 1 - alpha, in between it
/// rises on a line whose slope is the cotangent of tilt·π/2. As sd-mecha's crossover has it.
const TensorFunction& FilterFrequencies();

}  // namespace weightsmith
