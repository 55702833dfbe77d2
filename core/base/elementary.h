// The few functions of numbers that reach output bytes: the same bits on every machine, where those
// of a maths library depend on its version and on the CPU.
#pragma once

namespace weightsmith::internal {

/// Within 2 ulp for |x| up to 1,000; x in radians.
double Sine(double x);
double Cosine(double x);

/// In [0, π], within 2 ulp; NaN outside [-1, 1].
double ArcCosine(double x);

/// e^x and ln x within 2 ulp, tanh x within 8; ln of what is below 0 is NaN.
double Exponential(double x);
double Logarithm(double x);
double HyperbolicTangent(double x);

/// x^y = e^(y·ln x) for x ≥ 0, within 2 + |y·ln x| ulp, and 1 where y is 0; NaN for an x below 0.
double Power(double x, double y);

}  // namespace weightsmith::internal
