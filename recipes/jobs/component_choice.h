// Components of a file by the names that people give.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "core/model/anatomy.h"
#include "recipes/recipe.h"

namespace weightsmith::internal {

/// The components that the words name, by the names that `info` shows. "te" is every text encoder,
/// "unet" or "transformer" the diffusion model, whichever it is. Throws kMismatch for one that the
/// file does not have.
std::set<std::string> ChosenComponents(const std::vector<std::string>& words,
                                       const Anatomy& anatomy);

/// A recipe's model of these components of a file, or of all of it where there are none.
RecipeModel ModelOf(const FileReference& file, const std::set<std::string>& components);

}  // namespace weightsmith::internal
