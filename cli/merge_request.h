// What merge, plan, show and validate have in common: a recipe or a pair of models on the command
// line, and the way from there to a plan.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "core/base/error.h"
#include "merge/plan/plan.h"
#include "merge/run/executor.h"
#include "recipes/recipe.h"
#include "recipes/resolve.h"

namespace weightsmith::internal {

/// --models, then the folders of $WEIGHTSMITH_MODELS.
std::vector<std::filesystem::path> ModelFolders(const ParsedArguments& arguments);

/// The flags of RecipeFlags(), and $WEIGHTSMITH_MODELS.
RecipeOptions ReadRecipeOptions(const ParsedArguments& arguments);

/// The flags of RunFlags(). Throws kUsage for a number of threads that makes no sense.
RunOptions ReadRunOptions(const ParsedArguments& arguments);

/// Shows every diagnostic at its place; throws kUsage when one is an error.
void ShowDiagnostics(const Diagnostics& diagnostics, Terminal& terminal);

/// Whether the models of the command line are merged, or adapters are baked into each.
enum class Everyday : bool { kMerge, kBake };

/// The recipe of an everyday merge as text, where the command line has models; nothing where it
/// has a recipe file. Throws kUsage when it has neither or both.
std::optional<std::string> EverydayRecipe(const ParsedArguments& arguments,
                                          Everyday kind = Everyday::kMerge);

/// A recipe and the options that it is resolved with.
struct RecipeRequest {
  Recipe recipe;
  RecipeOptions options;
  bool everyday = false;  ///< made of models on the command line, not written by anybody
};

/// Reads the recipe file, or makes the everyday one.
RecipeRequest ReadRecipe(const ParsedArguments& arguments, Terminal& terminal,
                         Everyday kind = Everyday::kMerge);

/// From headers to what a run would do.
Plan PlanOf(const RecipeRequest& request, Terminal& terminal);

/// CheckPaths, with the place in a recipe file of what is wrong.
void CheckPathsOf(const RecipeRequest& request, const Plan& plan, const RunOptions& run,
                  Terminal& terminal);

/// Shows what a run threw where it has a place in a recipe file, and throws that it was said.
void ShowRunProblems(const RecipeRequest& request, const Error& error, Terminal& terminal);

/// Runs `body`, which does something with the plan, with the place in a recipe file of what is
/// wrong.
template <class Body>
decltype(auto) InRecipe(const RecipeRequest& request, Terminal& terminal, Body&& body) {
  try {
    return std::forward<Body>(body)();
  } catch (const Error& error) {
    ShowRunProblems(request, error, terminal);
    throw;
  }
}

}  // namespace weightsmith::internal
