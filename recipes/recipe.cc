#include "recipes/recipe.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/io/missing_file.h"
#include "recipes/parser/advice.h"
#include "recipes/parser/recipe_parser.h"
#include "recipes/source/text_file.h"

namespace weightsmith::internal {
namespace {

/// Copies nodes in the order in which the outputs come to them.
class Selection {
 public:
  explicit Selection(const Recipe& all) : all_(all), numbers_(all.nodes.size()) {}

  /// The new number of a node, after all of its operands have one.
  NodeId Take(NodeId root) {
    std::vector<NodeId> open{root};
    while (!open.empty()) {
      const NodeId id = open.back();
      const Node& node = all_.nodes[id].node;
      const auto missing = [&](NodeId operand) { return !numbers_[operand]; };
      const std::size_t before = open.size();
      // Pushed last first, so that the leftmost operand comes first.
      for (auto it = node.list.rbegin(); it != node.list.rend(); ++it) {
        if (missing(*it)) open.push_back(*it);
      }
      for (auto it = node.operands.rbegin(); it != node.operands.rend(); ++it) {
        if (missing(*it)) open.push_back(*it);
      }
      if (open.size() > before) continue;
      open.pop_back();
      if (!numbers_[id]) Copy(id);
    }
    return *numbers_[root];
  }

  std::vector<RecipeNode> nodes;
  std::vector<RecipeModel> models;

 private:
  void Copy(NodeId id) {
    RecipeNode copy = all_.nodes[id];
    for (NodeId& operand : copy.node.operands) operand = *numbers_[operand];
    for (NodeId& entry : copy.node.list) entry = *numbers_[entry];
    if (copy.node.model) {
      models.push_back(all_.models[*copy.node.model]);
      copy.node.model = static_cast<std::uint32_t>(models.size() - 1);
    }
    numbers_[id] = static_cast<NodeId>(nodes.size());
    nodes.push_back(std::move(copy));
  }

  const Recipe& all_;
  std::vector<std::optional<NodeId>> numbers_;
};

}  // namespace

std::optional<Recipe> LoadRecipe(const std::filesystem::path& path, const RecipeOptions& options,
                                 Diagnostics& diagnostics) {
  if (path == "-") {
    return ParseRecipe({"<stdin>", ReadStandardInput()}, "", options, diagnostics);
  }
  SourceText source{path.string(), ""};
  try {
    source.text = ReadTextFile(path);
  } catch (const MissingFile& error) {
    const Error advised = WithFileAdvice(error, path);
    throw MissingFile(fmt::format("no such recipe: {}", Quote(path.string())), advised.advice());
  }
  auto recipe = RecipeParser(options, diagnostics).Parse(source, path, path.parent_path());
  if (recipe) recipe->files_read.push_back({path, "recipe"});
  return recipe;
}

std::optional<Recipe> ParseRecipe(const SourceText& source, const std::filesystem::path& folder,
                                  const RecipeOptions& options, Diagnostics& diagnostics) {
  return RecipeParser(options, diagnostics).Parse(source, folder / source.name, folder);
}

Recipe WithoutUnused(const Recipe& recipe) {
  Selection selection(recipe);
  Recipe used = recipe;
  for (RecipeOutput& output : used.outputs) {
    output.root = selection.Take(output.root);
    for (auto& [component, node] : output.components) node = selection.Take(node);
  }
  used.nodes = std::move(selection.nodes);
  used.models = std::move(selection.models);
  return used;
}

}  // namespace weightsmith::internal
