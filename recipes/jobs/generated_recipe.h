// Recipes that a program made, of functions that a person called: no message shows a line of them.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "merge/plan/plan.h"
#include "recipes/diagnostic.h"
#include "recipes/recipe.h"
#include "recipes/resolve.h"

namespace weightsmith::internal {

struct GeneratedRecipe {
  std::string text;
  /// Of models and adapters by their names: not all paths can be written in a recipe.
  std::map<std::string, std::filesystem::path> paths;
};

/// Throws RecipeProblems without places.
Recipe ReadGenerated(const GeneratedRecipe& source, const RecipeOptions& options,
                     Diagnostics& diagnostics);

/// As PlanOfRecipe, but its problems have no places. REQUIRES: ReadGenerated gave the recipe.
Plan PlanOfGenerated(const Recipe& recipe, const RecipeOptions& options, Diagnostics& diagnostics);

/// A path as a recipe writes it, where neither braces nor a dollar name a variable. What a recipe
/// cannot write is replaced.
std::string PathInRecipe(const std::filesystem::path& path);

/// A warning as one line or several; without "warning:" where it has no place.
std::string WarningText(const Diagnostic& warning);

}  // namespace weightsmith::internal
