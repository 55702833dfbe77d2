// A recipe written out again: every variable, include, default and place resolved, only what its
// outputs use, in an order that does not depend on the order of the file.
#pragma once

#include <cstdint>
#include <string>

#include "recipes/recipe.h"

namespace weightsmith::internal {

enum class RecipeForm : std::uint8_t { kYaml, kJson };

struct ShowOptions {
  RecipeForm form = RecipeForm::kYaml;
  /// Files by their names alone and outputs without paths: what may go into a file's metadata.
  bool without_folders = false;
};

/// A text that reads back as the same plan, when it stands in the recipe's folder. Files below that
/// folder are written from there, all others as the recipe names them or from the root.
std::string ShowRecipe(const Recipe& recipe, const ShowOptions& options = {});

}  // namespace weightsmith::internal
