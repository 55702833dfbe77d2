// Files of other kinds that are given as recipes: what each is, and how to write it here.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "recipes/source/source_node.h"

namespace weightsmith::internal {

/// A recipe in a few lines, as advice.
std::string_view RecipeExample();

struct ForeignRecipe {
  std::string message;  ///< "this is a recipe of mergekit"
  std::string advice;
  bool binary = false;  ///< no line of it can be shown
};

/// By its first bytes and lines.
std::optional<ForeignRecipe> ForeignText(std::string_view text);

/// By its keys; also for a text that is no mapping.
std::optional<ForeignRecipe> ForeignTree(const SourceNode& top);

}  // namespace weightsmith::internal
