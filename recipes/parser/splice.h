// A recipe as a model of another: its steps become steps of the other.
#pragma once

#include <string>

#include "recipes/recipe.h"

namespace weightsmith::internal {

/// Copies what the first output of `inner` needs into `outer`, under names that begin with `name`,
/// and returns the node that is its value. Files that `outer` has already are shared.
NodeId SpliceRecipe(const std::string& name, const Recipe& inner, Recipe& outer);

}  // namespace weightsmith::internal
