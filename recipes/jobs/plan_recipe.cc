#include "recipes/jobs/plan_recipe.h"

#include <optional>
#include <utility>

namespace weightsmith {

Plan PlanOfRecipe(const Recipe& recipe, const RecipeOptions& options, Diagnostics& diagnostics) {
  std::optional<ResolvedRecipe> resolved = Resolve(recipe, options, diagnostics);
  diagnostics.ThrowIfErrors();
  Plan plan = MakePlan(resolved.value().expression, std::move(resolved.value().outputs));
  plan.texts_read = recipe.files_read;
  return plan;
}

}  // namespace weightsmith
