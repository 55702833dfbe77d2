// A filter of the frequencies of a tensor, along all its dimensions at once.
#pragma once

#include "merge/program/tensor_function.h"

namespace weightsmith::internal {

struct TiltedBand {
  double alpha = 0;
  double tilt = 0;  ///< from 0 to 4
};

/// Of one tensor: what passes of it. A frequency has a radius r from 0 (the mean) to 1. High ones
/// pass from tilt 0 to 1 and from 3 to 4, low ones from 1 to 3; at 1 and 3 the share alpha of every
/// one does. At tilt 0, which 4 is too, those of r > 1 - alpha pass, at 2 those of r < 1 - alpha;
/// in between the share is a line in r, of slope cot(tilt·π/2), cut off at 0 and 1. As sd-mecha's
/// crossover has it. Tells the energy that is left; likewise below.
const TensorFunction<TiltedBand>& FilterFrequencies();

/// The shares that pass of frequencies whose radius, as above, is below the first edge, below the
/// second, and above.
struct ThreeBands {
  double low = 0;
  double middle = 0;
  double high = 0;
  double first_edge = 0;
  double second_edge = 0;
};

/// Of one tensor: what passes of it.
const TensorFunction<ThreeBands>& FilterBands();

}  // namespace weightsmith::internal
