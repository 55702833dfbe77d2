// What makes up for elements that were left out of a difference.
#pragma once

#include "merge/operator.h"

namespace weightsmith::internal {

/// `rescale`: one of the words density, l1 and none.
ParameterSpec RescaleParameter(std::string_view by_default);

/// `kept`, which has `density` of the elements of `whole`, times a factor: 1/density, or what gives
/// it the sum of magnitudes that `whole` has (none where one of the sums is below 1e-7), or 1.
Value Rescale(Lowering& tape, std::string_view rescale, double density, Value whole, Value kept);

}  // namespace weightsmith::internal
