// What a step has beside its operands: numbers, words, booleans and seeds, and those of an entry.
#pragma once

#include <limits>
#include <optional>
#include <string>

#include "merge/expression/expression.h"
#include "merge/operator.h"
#include "recipes/parser/step_context.h"

namespace weightsmith::internal {

/// Stands for a parameter that is optional and was left out, and for a number that an entry does
/// not have.
inline constexpr double kLeftOut = std::numeric_limits<double>::quiet_NaN();

/// The value of a parameter; nothing after telling what is wrong with it.
std::optional<Weights> ReadParameter(const StepContext& in, const ParameterSpec& spec,
                                     const SourceNode& node, const std::string& what);

}  // namespace weightsmith::internal
