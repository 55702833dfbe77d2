// The few functions of numbers that reach output bytes: the same bits on every machine, where those
// of a maths library depend on its version and on the CPU.
#pragma once

namespace weightsmith::internal {

/// Within 2 ulp for |x| up to 1,000; x in radians.
double Sine(double x);
double Cosine(double x);

/// In [0, π], within 2 ulp; NaN outside [-1, 1].
double ArcCosine(double x);

}  // namespace weightsmith::internal
