// A recipe written out again: every variable, include, default and place resolved, only what its
// outputs use, in an order that does not depend on the order of the file.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "recipes/recipe.h"

namespace weightsmith {

struct ShowOptions {
  /// Files by their names alone and outputs without paths: what may go into a file's metadata.
  bool without_folders = false;
  /// This output alone.
  std::optional<std::size_t> output;
};

/// YAML that reads back as the same plan, when it stands in the recipe's folder.
std::string ShowRecipe(const Recipe& recipe, const ShowOptions& options = {});

}  // namespace weightsmith
