// A graph of models as a recipe.
#pragma once

#include <weightsmith/model.h>

#include <filesystem>
#include <map>
#include <string>

#include "recipes/jobs/generated_recipe.h"
#include "recipes/resolve.h"

namespace weightsmith::internal {

struct ModelRecipe {
  GeneratedRecipe source;
  RecipeOptions options;   ///< its checkpoints, that are open
  bool in_memory = false;  ///< some are of no file
};

/// The recipe of `model` with an output as `save` says. Throws kUsage for values that no recipe can
/// have.
ModelRecipe RecipeOf(const weightsmith::Model& model, const SaveOptions& save);

/// A value as recipes of JSON write it; `what` names it in messages. Throws kUsage for a number
/// that is not finite.
std::string ValueText(const std::string& what, const weightsmith::Value& value);

}  // namespace weightsmith::internal
