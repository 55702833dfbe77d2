// What stands where a table of names should: a step at the top of a recipe, the keys of one step
// below `steps`, those of one file below `models` or `adapters`.
#pragma once

#include <string>

#include "recipes/diagnostic.h"
#include "recipes/source/source_node.h"

namespace weightsmith::internal {

/// Reports steps at the top: a recipe that is one step, of which nothing else can be read, or steps
/// under a name, which are taken out.
struct LooseSteps {
  bool readable = true;
  bool found = false;
};
LooseSteps TakeLooseSteps(Diagnostics& diagnostics, SourceNode& top);

/// Where a table holds the keys of one step or file, reports that and gives it a name, so that it
/// is read as if it had one.
void NameUnnamed(Diagnostics& diagnostics, SourceNode& top);

/// What the output of a recipe calls its model, or the first of its outputs; "mix" where it does
/// not, or where another thing has the name.
std::string NameForStep(const SourceNode& top);

}  // namespace weightsmith::internal
