// A recipe as a plan.
#pragma once

#include "merge/plan/plan.h"
#include "merge/run/executor.h"
#include "recipes/diagnostic.h"
#include "recipes/recipe.h"
#include "recipes/resolve.h"

namespace weightsmith::internal {

/// From headers to what a run would do. Throws kUsage with all that is wrong in the text, else as
/// Resolve and MakePlan do.
Plan PlanOfRecipe(const Recipe& recipe, const RecipeOptions& options, Diagnostics& diagnostics);

/// CheckPaths, where what is wrong has a place in the recipe: it throws RecipeProblems then.
void CheckPathsOf(const Plan& plan, const RunOptions& run, const Recipe& recipe,
                  Diagnostics& diagnostics);

}  // namespace weightsmith::internal
