// The models in the list of a step: names or inline steps, or mappings of these with numbers.
#pragma once

#include <string>

#include "recipes/parser/step_context.h"

namespace weightsmith::internal {

/// Adds the entries of a written list to the step `id`, which has its operator. `what` is what
/// messages call the step.
void ReadModelEntries(const StepContext& in, const SourceNode& list, const std::string& what,
                      NodeId id);

}  // namespace weightsmith::internal
