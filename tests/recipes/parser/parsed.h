// A recipe that a test writes, as the parser reads it: its meaning, or the places of its errors.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "recipes/recipe.h"
#include "recipes/resolve.h"

namespace weightsmith::internal {

/// `text` follows the line of the version, which is the first.
inline SourceText RecipeText(const std::string& text) {
  return {"recipe.yaml", "weightsmith: 1\n" + text};
}

/// What the text means. Paths start at /models.
inline Recipe ParsedRecipe(const std::string& text, const RecipeOptions& options = {}) {
  Diagnostics diagnostics;
  auto recipe = ParseRecipe(RecipeText(text), "/models", options, diagnostics);
  std::string problems;
  for (const Diagnostic& diagnostic : diagnostics.all()) problems += Render(diagnostic) + "\n";
  EXPECT_TRUE(recipe.has_value()) << problems;
  EXPECT_EQ(problems, "");
  return recipe ? std::move(*recipe) : Recipe();
}

/// "LINE:COLUMN" of everything of that severity that is said of the text.
inline std::vector<std::string> PlacesOf(const std::string& text, Severity severity,
                                         const RecipeOptions& options = {}) {
  Diagnostics diagnostics;
  const auto recipe = ParseRecipe(RecipeText(text), "/models", options, diagnostics);
  EXPECT_EQ(recipe.has_value(), !diagnostics.HasErrors());
  std::vector<std::string> places;
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    if (diagnostic.severity != severity) continue;
    places.push_back(fmt::format("{}:{}", diagnostic.place.line, diagnostic.place.column));
  }
  return places;
}

inline std::vector<std::string> ErrorPlaces(const std::string& text,
                                            const RecipeOptions& options = {}) {
  return PlacesOf(text, Severity::kError, options);
}

/// The node of a model or step. REQUIRES: there is one.
inline const Node& NodeNamed(const Recipe& recipe, std::string_view name) {
  const auto found = std::ranges::find_if(
      recipe.nodes, [&](const RecipeNode& node) { return node.node.name == name; });
  if (found == recipe.nodes.end()) throw std::invalid_argument(std::string(name));
  return found->node;
}

/// The names of the nodes that a step takes.
inline std::vector<std::string> NodeNames(const Recipe& recipe, const std::vector<NodeId>& nodes) {
  std::vector<std::string> names;
  for (const NodeId node : nodes) names.push_back(recipe.nodes[node].node.name);
  return names;
}

}  // namespace weightsmith::internal
