// Texts that people write: recipes, tables, presets, lists of weights.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace weightsmith::internal {

/// The first file in a folder that is a recipe by its name, in the order of names; nothing for
/// none.
std::optional<std::filesystem::path> RecipeInFolder(const std::filesystem::path& folder);

/// The text of a regular file of at most 16 MB, without a byte order mark. Throws kInput for a
/// file that is missing or larger, a folder, a pipe or a device.
std::string ReadTextFile(const std::filesystem::path& path);

/// The text of standard input, under the same limit.
std::string ReadStandardInput();

}  // namespace weightsmith::internal
