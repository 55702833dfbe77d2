// The weight of a step that holds at the place of one tensor.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "merge/expression/expression.h"
#include "merge/plan/problems.h"

namespace weightsmith::internal {

/// Nothing, with a problem, where no row is for the place or a list does not fit the architecture.
/// `name` is the parameter's, `canonical` the tensor's.
std::optional<double> WeightAt(const TensorPlace& place, const Node& step, const Weights& weights,
                               std::string_view name, const std::string& canonical,
                               Problems& problems);

}  // namespace weightsmith::internal
