// A recipe as a plan.
#pragma once

#include "merge/plan.h"
#include "recipes/diagnostic.h"
#include "recipes/recipe.h"
#include "recipes/resolve.h"

namespace weightsmith {

/// From headers to what a run would do. Throws kUsage with all that is wrong in the text, else as
/// Resolve and MakePlan do.
Plan PlanOfRecipe(const Recipe& recipe, const RecipeOptions& options, Diagnostics& diagnostics);

}  // namespace weightsmith
