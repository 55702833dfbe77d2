#include <fmt/format.h>

#include "cli/command.h"
#include "cli/flags/option_words.h"
#include "cli/merge_request.h"
#include "cli/model_path.h"
#include "core/base/error.h"
#include "core/base/visible.h"
#include "core/model/anatomy.h"
#include "core/model/views/canonical_view.h"
#include "recipes/jobs/json-inl.h"
#include "recipes/jobs/plan_recipe.h"
#include "recipes/source/text_file.h"

namespace weightsmith::internal {
namespace {

/// What is to be said of one file.
struct Verdict {
  std::string path;
  int status = 0;
  std::vector<Diagnostic> diagnostics;  ///< of a recipe's text, with places
  std::vector<std::string> warnings;
  std::string message;  ///< of what is wrong besides; empty: nothing
  std::string advice;
};

void JudgeRecipe(bool files, const RecipeOptions& options, const RunOptions& run,
                 Verdict& verdict) {
  Diagnostics diagnostics;
  const std::optional<Recipe> recipe = LoadRecipe(verdict.path, options, diagnostics);
  try {
    diagnostics.ThrowIfErrors();
    if (recipe && files) {
      WithContext(Visible(verdict.path), [&] {
        const Plan plan = PlanOfRecipe(*recipe, options, diagnostics);
        verdict.warnings = plan.warnings;
        CheckPathsOf(plan, run, *recipe, diagnostics);
      });
    }
  } catch (const RecipeProblems& problems) {
    verdict.status = static_cast<int>(problems.code());
  } catch (const Error&) {
    verdict.diagnostics = diagnostics.all();
    throw;
  }
  verdict.diagnostics = diagnostics.all();
}

Verdict Judge(const std::string& path, bool files, const RecipeOptions& options,
              const RunOptions& run) {
  Verdict verdict;
  verdict.path = path;
  try {
    if (LooksLikeModel(path)) {
      verdict.warnings = Examine(*OpenCanonical(path)).damage;
    } else {
      JudgeRecipe(files, options, run, verdict);
    }
  } catch (const Error& error) {
    verdict.status = static_cast<int>(error.code());
    verdict.message = error.what();
    verdict.advice = AdviceOf(error);
    const auto recipe = IsFolder(path) ? RecipeInFolder(path) : std::nullopt;
    if (recipe && error.code() == ErrorCode::kInput) {
      verdict.advice = fmt::format("Give the recipe in it: {}", Visible(recipe->string()));
    } else if (IsFolder(path)) {
      verdict.advice = "Give a recipe, a .yaml or .json file, or a model.";
    }
  }
  return verdict;
}

void Show(const Verdict& verdict, Terminal& terminal) {
  for (const Diagnostic& diagnostic : verdict.diagnostics) {
    const bool is_error = diagnostic.severity == Severity::kError;
    terminal.Tell(is_error ? Style::kError : Style::kWarning,
                  Render(diagnostic, CommandLineSpelling()));
  }
  for (const std::string& warning : verdict.warnings) terminal.Warn(warning);
  if (!verdict.message.empty()) terminal.Fail(verdict.message, verdict.advice);
  terminal.Print(
      fmt::format("{}: {}\n", Visible(verdict.path), verdict.status == 0 ? "valid" : "not valid"));
}

Json ToJson(const Verdict& verdict) {
  Json json = {{"path", verdict.path}, {"valid", verdict.status == 0}};
  json["status"] = verdict.status;
  json["diagnostics"] = Json::array();
  for (const Diagnostic& diagnostic : verdict.diagnostics) {
    const auto& source = diagnostic.place.source;
    json["diagnostics"].push_back(
        {{"severity", diagnostic.severity == Severity::kError ? "error" : "warning"},
         {"file", source ? Json(source->name) : Json()},
         {"line", diagnostic.place.line},
         {"column", diagnostic.place.column},
         {"message", diagnostic.message},
         {"advice", AdviceOf(Error(diagnostic.code, diagnostic.message, diagnostic.advice,
                                   diagnostic.options))}});
  }
  json["message"] = verdict.message;
  json["advice"] = verdict.advice;
  json["warnings"] = verdict.warnings;
  return json;
}

// All files are looked at; the status is that of the first that is not right.
int Run(const ParsedArguments& arguments, Terminal& terminal) {
  const RecipeOptions options = ReadRecipeOptions(arguments);
  const RunOptions run = {.overwrite = arguments.Has("force"),
                          .make_folders = arguments.Has("mkdir")};
  const bool json = arguments.Has("json");
  int status = 0;
  Json all = Json::array();
  for (const std::string& path : arguments.positionals()) {
    const Verdict verdict = Judge(path, !arguments.Has("no-files"), options, run);
    if (status == 0) status = verdict.status;
    if (json) {
      all.push_back(ToJson(verdict));
    } else {
      Show(verdict, terminal);
    }
  }
  if (json) terminal.PrintData(ToText(all));
  return status;
}

std::vector<Flag> Flags() {
  std::vector<Flag> flags = RecipeFlags();
  flags.push_back(
      {.name = "no-files", .doc = "Check the text alone, open no model", .group = "Recipe"});
  flags.push_back({.name = "force",
                   .letter = 'f',
                   .doc = "Accept an output that exists, as merge --force does",
                   .group = "Recipe"});
  flags.push_back({.name = "mkdir",
                   .doc = "Accept an output whose folder is missing, as merge --mkdir does",
                   .group = "Recipe"});
  flags.push_back({.name = "json",
                   .doc = "Print JSON: every file with its errors and their places",
                   .group = "Recipe"});
  return flags;
}

}  // namespace

const Command& validate() {
  static const Command command = {
      .name = "validate",
      .summary = "Check recipes and models for errors, without running anything",
      .group = CommandGroup::kMerge,
      .doc =
          "Checks the text of each recipe and reports all its errors together, each with its "
          "place. Then opens the headers of its models and checks that the recipe fits them "
          "and that its outputs can be written (one that exists needs `--force`), unless "
          "`--no-files` is given. The status is that of the first recipe with an error: "
          "2 for its text, 4 for a model that is missing or malformed, 3 where recipe and "
          "models do not fit.\n\nOf a model file or folder, the structure is checked; `verify` "
          "also reads its values.",
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

}  // namespace weightsmith::internal
