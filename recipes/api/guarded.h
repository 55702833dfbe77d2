// The border of the public API: what is thrown inside, as its headers promise it.
#pragma once

#include <filesystem>
#include <utility>

#include "core/base/error.h"
#include "recipes/diagnostic.h"

namespace weightsmith::internal {

Problem ProblemOf(const Diagnostic& diagnostic);

RecipeError PublicError(const RecipeProblems& problems);
Error PublicError(const std::filesystem::filesystem_error& error);

/// Runs `body`, a function of the public API.
template <class Body>
decltype(auto) Guarded(Body&& body) {
  try {
    return std::forward<Body>(body)();
  } catch (const RecipeProblems& problems) {
    throw PublicError(problems);
  } catch (const std::filesystem::filesystem_error& error) {
    throw PublicError(error);
  }
}

}  // namespace weightsmith::internal
