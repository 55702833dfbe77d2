// The models and variables of a recipe, together with those of the tables that it includes.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "recipes/parser/reader.h"

namespace weightsmith::internal {

struct ModelEntry {
  SourceNode key;
  SourceNode value;
  std::filesystem::path folder;  ///< of the file that it stands in
  bool included = false;
  bool adapter = false;  ///< of the table of adapters
};

struct TablesRead {
  std::map<std::string, ModelEntry> models;
  std::vector<std::filesystem::path> included;  ///< files that were read
  bool whole = true;                            ///< false: one is missing, which is reported
};

/// Reads `models`, `adapters`, `vars` and `include` of a recipe's top mapping; variables are
/// declared with the reader's.
TablesRead ReadTables(Reader& reader, const SourceNode& recipe, const std::filesystem::path& file,
                      const std::filesystem::path& folder);

/// The text of a recipe or table that another one names at `place`. Nothing, and an error there,
/// where it cannot be read or is neither: then no part of it is shown.
std::optional<SourceText> ReadNamedRecipe(Diagnostics& diagnostics, const SourcePlace& place,
                                          const std::filesystem::path& path);

}  // namespace weightsmith::internal
