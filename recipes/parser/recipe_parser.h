// Puts the parts together: a text becomes a Recipe.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "recipes/parser/graph.h"
#include "recipes/parser/models.h"
#include "recipes/parser/reader.h"
#include "recipes/parser/recipe_outputs.h"
#include "recipes/parser/variables.h"
#include "recipes/presets.h"
#include "recipes/recipe.h"
#include "recipes/resolve.h"

namespace weightsmith::internal {

class RecipeParser {
 public:
  /// `chain` is the recipes that led here by naming the next as a model.
  RecipeParser(const RecipeOptions& options, Diagnostics& diagnostics,
               std::vector<std::filesystem::path> chain = {});

  std::optional<Recipe> Parse(const SourceText& source, const std::filesystem::path& file,
                              const std::filesystem::path& folder);

 private:
  /// Gives keys of the top that are misspelled the names that were meant.
  bool CheckTop(SourceNode& top);
  void ReadVariables(SourceNode& top, std::map<std::string, ModelEntry>& entries);
  void ReadModels(const std::map<std::string, ModelEntry>& entries);
  void ReadSteps(const SourceNode& top, StepReader& step_reader);
  void WarnOfUnused();
  void MakeNodes();
  NodeId Splice(const std::string& name, const ModelDeclaration& declaration);

  const RecipeOptions& options_;
  Diagnostics& diagnostics_;
  std::vector<std::filesystem::path> chain_;
  Variables variables_;
  Presets presets_;
  Reader reader_;
  Graph graph_;
  Recipe recipe_;
  std::vector<ModelDeclaration> declarations_;  ///< parallel to recipe_.models until MakeNodes
  RecipeOutputs outputs_;
  std::string step_name_;  ///< that a step may have which is not there
};

}  // namespace weightsmith::internal
