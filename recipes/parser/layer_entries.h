// The layers of a stack: which of a model follow one another.
#pragma once

#include <string>

#include "recipes/parser/step_context.h"

namespace weightsmith::internal {

/// As ReadModelEntries. A scaled entry becomes a step of its own.
void ReadLayerEntries(const StepContext& in, const SourceNode& list, const std::string& what,
                      NodeId id);

}  // namespace weightsmith::internal
