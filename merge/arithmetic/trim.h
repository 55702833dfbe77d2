// Which elements of a difference are kept: the largest, or those below them.
#pragma once

#include "merge/operator.h"

namespace weightsmith::internal {

/// `density`: the share that is kept, by place and by entry, 0 to 1; `usual` where none is given.
ParameterSpec DensityParameter(double usual, std::string_view doc);

/// `trim`: how a share becomes a number of elements.
ParameterSpec TrimParameter();

/// x where it is among the largest magnitudes of the tensor, else 0. `trim` is a word of
/// TrimParameter: with paper the trunc(density·n) largest are kept, with mecha all that reach the
/// trunc((1 - density)·n)-th smallest. Magnitudes that equal the least one kept are kept.
Value Trim(Lowering& tape, Value x, double density, std::string_view trim = "paper");

/// x where it is among the trunc(density·n) magnitudes behind the trunc(gamma·n) largest, else 0;
/// where there are not as many, fewer large ones are left out. All of x at density 1. Magnitudes
/// that equal the least or largest one kept are kept.
Value TrimBothEnds(Lowering& tape, Value x, double density, double gamma);

}  // namespace weightsmith::internal
