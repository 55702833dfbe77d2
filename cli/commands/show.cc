#include "recipes/show.h"

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/merge_flags.h"
#include "cli/merge_request.h"
#include "cli/model_path.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/model/open_as_stored.h"
#include "recipes/jobs/provenance.h"

namespace weightsmith::internal {
namespace {

/// The recipe that a model records.
std::optional<Recipe> RecordedRecipe(const std::string& path, const RecipeOptions& options,
                                     Diagnostics& diagnostics) {
  const auto checkpoint = OpenAsStored(path);
  const Provenance provenance = ReadProvenance(checkpoint->metadata());
  if (provenance.recipe) {
    return ParseRecipe({path, *provenance.recipe}, {}, options, diagnostics);
  }
  const auto& metadata = checkpoint->metadata();
  if (metadata && metadata->contains("sd_merge_recipe")) {
    throw Error(
        ErrorCode::kInput, fmt::format("{} was merged by another program", Quote(path)),
        fmt::format("'weightsmith meta {} --get sd_merge_recipe' prints what it recorded.", path));
  }
  throw Error(ErrorCode::kInput, fmt::format("{} records no recipe", Quote(path)),
              "Only models that weightsmith has merged, and not with --private, do.");
}

int RunShow(const ParsedArguments& arguments, Terminal& terminal) {
  const std::string& path = arguments.positionals().front();
  const RecipeOptions options = ReadRecipeOptions(arguments);
  Diagnostics diagnostics;
  const std::optional<Recipe> recipe = LooksLikeModel(path)
                                           ? RecordedRecipe(path, options, diagnostics)
                                           : LoadRecipe(path, options, diagnostics);
  ShowDiagnostics(diagnostics, terminal);
  const RecipeForm form = arguments.Has("json") ? RecipeForm::kJson : RecipeForm::kYaml;
  terminal.PrintData(ShowRecipe(recipe.value(), {.form = form}));
  return 0;
}

std::vector<Flag> FlagsOfShow() {
  std::vector<Flag> flags = RecipeFlags();
  flags.push_back({.name = "json", .doc = "Print JSON, which is a recipe as well"});
  return flags;
}

}  // namespace

const Command& show() {
  static const Command command = {
      .name = "show",
      .summary = "Print a recipe in full, or the recipe of a model",
      .group = CommandGroup::kMerge,
      .doc =
          "Prints the recipe with every include, variable, default and place resolved and "
          "without what it does not use, in an order that does not depend on the file's. It "
          "reads back as the same plan, when it stands in the same folder. No model is opened.\n\n"
          "Of a model that weightsmith has merged, it prints the recipe that the file records.",
      .positionals = {{.name = "RECIPE|MODEL",
                       .doc = "a recipe (- is standard input), or a merged model"}},
      .flags = FlagsOfShow(),
      .examples = {{"weightsmith show mix.yaml", "What does this recipe say in full?"},
                   {"weightsmith show mix.safetensors", "By which recipe was this model made?"},
                   {"weightsmith show mix.yaml --set w=0.4 > mix-0.4.yaml",
                    "Keep a variable's value:"},
                   {"weightsmith show mix.yaml --json | jq .models", "For a script:"}},
      .run = RunShow,
  };
  return command;
}

}  // namespace weightsmith::internal
