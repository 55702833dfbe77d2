// A filter of the frequencies of a tensor, along all its dimensions at once.
#pragma once

#include "merge/program/program.h"

namespace weightsmith::internal {

/// Of one tensor and the numbers {alpha, tilt}, tilt from 0 to 4: what passes of it. A frequency
/// has a radius r from 0 (the mean) to 1. High ones pass from tilt 0 to 1 and from 3 to 4, low ones
/// from 1 to 3; at 1 and 3 the share alpha of every one does. At tilt 0, which 4 is too, those of
/// r > 1 - alpha pass, at 2 those of r < 1 - alpha; in between the share is a line in r, of slope
/// cot(tilt·π/2), cut off at 0 and 1. As sd-mecha's crossover has it. Tells the energy that is
/// left; likewise below.
const TensorFunction& FilterFrequencies();

/// Of one tensor and the numbers {low, middle, high, first edge, second edge}: the shares that pass
/// of frequencies whose radius, as above, is below the first edge, below the second, and above.
const TensorFunction& FilterBands();

}  // namespace weightsmith::internal
