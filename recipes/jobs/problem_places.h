// Where in a recipe the problems of a plan are: merge/ knows the names of steps, rows, models and
// files, and not where they are written.
#pragma once

#include "core/base/error.h"
#include "recipes/diagnostic.h"
#include "recipes/recipe.h"

namespace weightsmith::internal {

/// Adds a problem for each line of the error, at the row, step, model or output that it names:
/// "step 'mix': …"; else at the first output. Returns false, and adds nothing, where nobody wrote
/// the recipe, or the fault is none of what is written in it.
bool AddProblems(const Error& error, const Recipe& recipe, Diagnostics& diagnostics);

/// Likewise of a run: adds what names a step, and what is wrong with the result, at the output. Of
/// files and disks the message itself says where they are.
bool AddRunProblems(const Error& error, const Recipe& recipe, Diagnostics& diagnostics);

}  // namespace weightsmith::internal
