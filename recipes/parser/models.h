// Models: names of files, of hashes, of components in several files, or of recipes.
#pragma once

#include <filesystem>
#include <optional>

#include "recipes/parser/tables.h"
#include "recipes/recipe.h"

namespace weightsmith::internal {

struct ModelDeclaration {
  RecipeModel model;
  std::optional<std::filesystem::path> recipe;  ///< its output is the model
  SourcePlace recipe_place;
};

ModelDeclaration ReadModel(Reader& reader, const ModelEntry& entry);
/// An entry of the table of adapters.
ModelDeclaration ReadAdapterEntry(Reader& reader, const ModelEntry& entry);

/// Whether a model or step may have this name; tells why not.
bool CheckName(Reader& reader, const SourceNode& key, std::string_view kind);

}  // namespace weightsmith::internal
