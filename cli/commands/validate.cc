#include <fmt/format.h>

#include "cli/command.h"
#include "cli/merge_request.h"
#include "cli/option_words.h"
#include "core/anatomy/anatomy.h"
#include "core/anatomy/canonical_view.h"
#include "core/checkpoint.h"
#include "core/error.h"

namespace weightsmith {
namespace {

void ValidateModel(const std::string& path, Terminal& terminal) {
  const auto checkpoint = OpenCanonical(path);
  for (const std::string& damage : Examine(*checkpoint).damage) terminal.Warn(damage);
}

void ValidateRecipe(const std::string& path, bool files, const RecipeOptions& options,
                    Terminal& terminal) {
  Diagnostics diagnostics;
  std::optional<Recipe> recipe = LoadRecipe(path, options, diagnostics);
  ShowDiagnostics(diagnostics, terminal);
  if (!files) return;
  for (const std::string& warning :
       PlanOf({std::move(recipe).value(), options}, terminal).warnings) {
    terminal.Warn(warning);
  }
}

// All files are looked at; the status is that of the first that is not right.
int Run(const ParsedArguments& arguments, Terminal& terminal) {
  const RecipeOptions options = ReadRecipeOptions(arguments);
  int status = 0;
  for (const std::string& path : arguments.positionals()) {
    try {
      if (LooksLikeModel(path)) {
        ValidateModel(path, terminal);
      } else {
        const bool files = !arguments.Has("no-files");
        WithContext(path, [&] { ValidateRecipe(path, files, options, terminal); });
      }
      terminal.Print(fmt::format("{}: valid\n", path));
    } catch (const Error& error) {
      terminal.Fail(error.what(), AdviceOf(error));
      if (status == 0) status = static_cast<int>(error.code());
    }
  }
  return status;
}

std::vector<Flag> Flags() {
  std::vector<Flag> flags = RecipeFlags();
  flags.push_back(
      {.name = "no-files", .doc = "Look at the text alone, open no model", .group = "Recipe"});
  return flags;
}

}  // namespace

const Command& validate() {
  static const Command command = {
      .name = "validate",
      .summary = "Check recipes without running them, and models for their structure",
      .doc =
          "Checks the text of every recipe and shows all that is wrong with it at once, each "
          "problem with its place. Then opens the headers of its models and checks that the "
          "recipe fits them, unless `--no-files` is given. The status is that of the first "
          "recipe with a problem: 2 for its text, 4 for a model that is missing or malformed, 3 "
          "where recipe and models do not fit.\n\n"
          "Of a model file or folder the structure is checked; `verify` also reads its values.",
      .positionals = {{.name = "FILE",
                       .doc = "a recipe (- is standard input) or a model",
                       .repeatable = true}},
      .flags = Flags(),
      .examples = {{"weightsmith validate mix.yaml", "Is this recipe right?"},
                   {"weightsmith validate --no-files recipes/*.yaml",
                    "Are these, without their models?"}},
      .run = Run,
  };
  return command;
}

}  // namespace weightsmith
