#include "recipes/jobs/plan_recipe.h"

#include <optional>
#include <utility>

#include "merge/run/touched_paths.h"
#include "recipes/jobs/problem_places.h"

namespace weightsmith::internal {

Plan PlanOfRecipe(const Recipe& recipe, const RecipeOptions& options, Diagnostics& diagnostics) {
  try {
    std::optional<ResolvedRecipe> resolved = Resolve(recipe, options, diagnostics);
    diagnostics.ThrowIfErrors();
    Plan plan = MakePlan(resolved.value().expression, std::move(resolved.value().outputs));
    plan.texts_read.insert(plan.texts_read.begin(), recipe.files_read.begin(),
                           recipe.files_read.end());
    return plan;
  } catch (const RecipeProblems&) {
    throw;
  } catch (const Error& error) {
    if (AddProblems(error, recipe, diagnostics)) diagnostics.ThrowIfErrors();
    throw;
  }
}

void CheckPathsOf(const Plan& plan, const RunOptions& run, const Recipe& recipe,
                  Diagnostics& diagnostics) {
  try {
    CheckPaths(plan, run);
  } catch (const Error& error) {
    if (AddProblems(error, recipe, diagnostics)) diagnostics.ThrowIfErrors();
    throw;
  }
}

}  // namespace weightsmith::internal
