// Models that are written anew and not computed: what convert, split and assemble are, as recipes
// of one `copy` step.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "merge/plan/plan.h"
#include "recipes/recipe.h"
#include "recipes/resolve.h"

namespace weightsmith::internal {

struct RewriteJob {
  std::string_view command;          ///< "convert": messages begin with it
  Recipe recipe;                     ///< of one output; ShowRecipe writes it out
  RecipeOptions options{};           ///< inputs that are open already
  std::vector<std::string> notes{};  ///< what was repaired or left out
};

/// A recipe that copies a model to an output, which keeps the metadata, EMA copies and all.
Recipe CopyRecipe(RecipeModel model, RecipeOutput output);

/// What a run of it would do. Texts are written last, in their order: with its index a folder is a
/// pipeline. Throws as Resolve and MakePlan do.
Plan PlanOf(const RewriteJob& job);

}  // namespace weightsmith::internal
