#include "recipes/jobs/plan_recipe.h"

#include <optional>
#include <utility>

#include "recipes/jobs/problem_places.h"

namespace weightsmith {

Plan PlanOfRecipe(const Recipe& recipe, const RecipeOptions& options, Diagnostics& diagnostics) {
  std::optional<ResolvedRecipe> resolved = Resolve(recipe, options, diagnostics);
  diagnostics.ThrowIfErrors();
  try {
    Plan plan = MakePlan(resolved.value().expression, std::move(resolved.value().outputs));
    plan.texts_read = recipe.files_read;
    return plan;
  } catch (const Error& error) {
    if (AddProblems(error, recipe, diagnostics)) diagnostics.ThrowIfErrors();
    throw;
  }
}

}  // namespace weightsmith
