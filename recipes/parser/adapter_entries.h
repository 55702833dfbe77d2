// The adapters that a step bakes: names with strengths, or mappings of both.
#pragma once

#include <string>

#include "recipes/parser/step_context.h"

namespace weightsmith::internal {

/// As ReadModelEntries.
void ReadAdapterEntries(const StepContext& in, const SourceNode& list, const std::string& what,
                        NodeId id);

}  // namespace weightsmith::internal
