#include "recipes/show.h"

#include "cli/command.h"
#include "cli/merge_request.h"

namespace weightsmith {
namespace {

int Run(const ParsedArguments& arguments, Terminal& terminal) {
  Diagnostics diagnostics;
  const std::optional<Recipe> recipe =
      LoadRecipe(arguments.positionals().front(), ReadRecipeOptions(arguments), diagnostics);
  ShowDiagnostics(diagnostics, terminal);
  const RecipeForm form = arguments.Has("json") ? RecipeForm::kJson : RecipeForm::kYaml;
  terminal.Print(ShowRecipe(recipe.value(), {.form = form}));
  return 0;
}

std::vector<Flag> Flags() {
  std::vector<Flag> flags = RecipeFlags();
  flags.push_back({.name = "json", .doc = "Print JSON, which is a recipe as well"});
  return flags;
}

}  // namespace

const Command& show() {
  static const Command command = {
      .name = "show",
      .summary = "Print a recipe with everything written out",
      .doc =
          "Prints the recipe with every include, variable, default and place resolved and "
          "without what it does not use, in an order that does not depend on the file's. It "
          "reads back as the same plan, when it stands in the same folder. No model is opened.",
      .positionals = {{.name = "RECIPE", .doc = "a recipe; - is standard input"}},
      .flags = Flags(),
      .examples = {{"weightsmith show mix.yaml", "What does this recipe say in full?"},
                   {"weightsmith show mix.yaml --set w=0.4 > mix-0.4.yaml",
                    "Keep a variable's value:"},
                   {"weightsmith show mix.yaml --json | jq .models", "For a script:"}},
      .run = Run,
  };
  return command;
}

}  // namespace weightsmith
