// Seeds of random numbers: two steps with one seed draw what is not independent, which is hardly
// ever meant.
#pragma once

#include <vector>

#include "recipes/parser/graph.h"

namespace weightsmith::internal {

/// Tells of steps that are used and have the seed of another, unless one of both says that it
/// shares it.
void CheckSeeds(const Graph& graph, const std::vector<bool>& used, Diagnostics& diagnostics);

}  // namespace weightsmith::internal
