// The range that several models span, element by element.
#pragma once

#include <span>

#include "merge/program/lowering.h"

namespace weightsmith::internal {

struct ModelLimits {
  Value low;
  Value high;
};

/// The least and the greatest of the models. REQUIRES: at least one.
ModelLimits LimitsOf(Lowering& tape, std::span<const Value> models);

/// The models' values next to their mean, on both sides of it; `outer` are their limits.
ModelLimits NextToMean(Lowering& tape, std::span<const Value> models, const ModelLimits& outer);

}  // namespace weightsmith::internal
