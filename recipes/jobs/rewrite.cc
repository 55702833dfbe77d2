#include "recipes/jobs/rewrite.h"

#include <optional>
#include <utility>

#include "core/base/error.h"
#include "merge/operator.h"
#include "recipes/diagnostic.h"

namespace weightsmith::internal {

Recipe CopyRecipe(RecipeModel model, RecipeOutput output) {
  Recipe recipe;
  recipe.policies.effect = EffectPolicy::kAny;  // a file without tensors is copied too
  recipe.policies.ema = EmaPolicy::kKeep;
  Node leaf;
  leaf.name = model.name;
  leaf.model = 0;
  leaf.policies = recipe.policies;
  Node copy;
  copy.name = "copy";
  copy.op = FindOperator("copy");
  copy.operands = {0};
  copy.policies = recipe.policies;
  recipe.models.push_back(std::move(model));
  recipe.nodes.push_back({.node = std::move(leaf), .place = {}});
  recipe.nodes.push_back({.node = std::move(copy), .place = {}});
  output.root = 1;
  output.keep_metadata = true;
  recipe.outputs.push_back(std::move(output));
  return recipe;
}

Plan PlanOf(const RewriteJob& job) {
  return WithContext(job.command, [&] {
    Diagnostics diagnostics;
    std::optional<ResolvedRecipe> resolved = Resolve(job.recipe, job.options, diagnostics);
    diagnostics.ThrowIfErrors();
    return MakePlan(resolved.value().expression, std::move(resolved.value().outputs));
  });
}

}  // namespace weightsmith::internal
