// What a path on the command line is, by its name and by what is there.
#pragma once

#include <filesystem>
#include <string>

namespace weightsmith::internal {

/// Whether there is a folder; false where nothing is or can be seen.
bool IsFolder(const std::filesystem::path& path);

/// Whether a path is named like a model file or is a folder, and so is no recipe.
bool LooksLikeModel(const std::filesystem::path& path);

/// The name of a model without the endings of model files; of a folder its name.
std::string ModelStem(const std::filesystem::path& path);

}  // namespace weightsmith::internal
