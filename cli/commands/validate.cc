#include <fmt/format.h>

#include <optional>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/flags/option_words.h"
#include "cli/merge_flags.h"
#include "cli/merge_request.h"
#include "cli/model_path.h"
#include "cli/schemas.h"
#include "core/base/error.h"
#include "core/base/visible.h"
#include "core/model/anatomy.h"
#include "core/model/views/canonical_view.h"
#include "recipes/jobs/plan_recipe.h"
#include "recipes/jobs/record-inl.h"
#include "recipes/source/text_file.h"

namespace weightsmith::internal {
namespace {

/// What is to be said of one file.
struct ValidatedFile {
  std::string path;
  int status = 0;
  std::vector<Diagnostic> diagnostics;  ///< of a recipe's text, with places
  std::vector<std::string> warnings;
  std::string message;  ///< of what is wrong besides; empty: nothing
  std::string advice;
};

std::optional<std::string> FileOf(const Diagnostic& diagnostic) {
  const auto& source = diagnostic.place.source;
  return source ? std::optional(source->name) : std::nullopt;
}

}  // namespace

template <>
const Record<Diagnostic>& RecordOf() {
  const auto place = [](auto member) { return Through(&Diagnostic::place, member); };
  static const Record<Diagnostic> record = {
      "Diagnostic",
      "Something that is wrong with a recipe.",
      {{"severity",
        [](const Diagnostic& diagnostic) {
          return diagnostic.severity == Severity::kError ? "error" : "warning";
        },
        "\"error\" or \"warning\"."},
       {"file", FileOf, "The recipe, or a file that it includes; null: no place is known."},
       {"line", place(&SourcePlace::line), "From 1; 0: no place is known."},
       {"column", place(&SourcePlace::column), "From 1."},
       {"message", &Diagnostic::message, "What is wrong."},
       {"advice",
        [](const Diagnostic& of) {
          return AdviceOf(Error(of.code, of.message, of.advice, of.options));
        },
        "What can be done; empty: nothing is known."}}};
  return record;
}

template <>
const Record<ValidatedFile>& RecordOf() {
  static const Record<ValidatedFile> record = {
      "Verdict",
      "Whether a recipe or a model is valid.",
      {{"path", &ValidatedFile::path, "The file."},
       {"valid", [](const ValidatedFile& verdict) { return verdict.status == 0; },
        "Nothing is wrong."},
       {"status", &ValidatedFile::status, "The exit status for this file."},
       {"diagnostics", &ValidatedFile::diagnostics, "What is wrong with the text of a recipe."},
       {"message", &ValidatedFile::message, "What is wrong besides; empty: nothing."},
       {"advice", &ValidatedFile::advice, "What can be done about that."},
       {"warnings", &ValidatedFile::warnings, "What may be wrong."}}};
  return record;
}

namespace {

void JudgeRecipe(bool files, const RecipeOptions& options, const RunOptions& run,
                 ValidatedFile& verdict) {
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

ValidatedFile Judge(const std::string& path, bool files, const RecipeOptions& options,
                    const RunOptions& run) {
  ValidatedFile verdict;
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

void Show(const ValidatedFile& verdict, Terminal& terminal) {
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

// All files are looked at; the status is that of the first that is not right.
int RunValidate(const ParsedArguments& arguments, Terminal& terminal) {
  const RecipeOptions options = ReadRecipeOptions(arguments);
  const RunOptions run = {.overwrite = arguments.Has("force"),
                          .make_folders = arguments.Has("mkdir")};
  const bool json = arguments.Has("json");
  int status = 0;
  std::vector<ValidatedFile> verdicts;
  for (const std::string& path : arguments.positionals()) {
    ValidatedFile verdict = Judge(path, !arguments.Has("no-files"), options, run);
    if (status == 0) status = verdict.status;
    if (json) {
      verdicts.push_back(std::move(verdict));
    } else {
      Show(verdict, terminal);
    }
  }
  if (json) terminal.PrintData(JsonText(verdicts));
  return status;
}

std::vector<Flag> FlagsOfValidate() {
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

std::string VerdictsSchema() {
  return JsonSchema<std::vector<ValidatedFile>>();
}

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
      .flags = FlagsOfValidate(),
      .examples = {{"weightsmith validate mix.yaml", "Is this recipe right?"},
                   {"weightsmith validate --no-files recipes/*.yaml",
                    "Are these, without their models?"}},
      .run = RunValidate,
  };
  return command;
}

}  // namespace weightsmith::internal
