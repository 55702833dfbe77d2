// A recipe as it was written: the value of a recipe file, checked for form, with a place for every
// part. Knows no file contents.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "recipes/diagnostic.h"

namespace weightsmith {

struct RecipeOptions;

struct Recipe {
  /// Relative paths are taken from here.
  std::filesystem::path folder;
};

/// Reads and checks a recipe file; "-" is standard input. Throws kInput when it cannot be read;
/// everything wrong in its text goes to `diagnostics`.
std::optional<Recipe> LoadRecipe(const std::filesystem::path& path, const RecipeOptions& options,
                                 Diagnostics& diagnostics);

/// The same from a text; `name` is shown in messages, `folder` is where relative paths start.
std::optional<Recipe> ParseRecipe(const std::string& text, const std::string& name,
                                  const std::filesystem::path& folder,
                                  const RecipeOptions& options, Diagnostics& diagnostics);

}  // namespace weightsmith
