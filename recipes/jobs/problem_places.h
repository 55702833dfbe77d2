// Where in a recipe the problems of a plan are: merge/ knows the names of steps and rows, and not
// where they are written.
#pragma once

#include "core/error.h"
#include "recipes/diagnostic.h"
#include "recipes/recipe.h"

namespace weightsmith {

/// Adds a problem for each line of the error, at the row or step that it names: "step 'mix': …".
/// Returns false, and adds nothing, where it names none.
bool AddProblems(const Error& error, const Recipe& recipe, Diagnostics& diagnostics);

}  // namespace weightsmith
