// The schema of recipes, from the words of the language and the declarations of the operators.
#pragma once

#include <string>

namespace weightsmith::internal {

/// JSON, without "$schema" and "title".
std::string RecipeSchema();

}  // namespace weightsmith::internal
