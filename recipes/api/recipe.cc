#include <weightsmith/recipe.h>

#include <utility>

#include "core/base/error.h"
#include "recipes/api/guarded.h"
#include "recipes/api/model_recipe.h"
#include "recipes/api/plan_result.h"
#include "recipes/api/report_result.h"
#include "recipes/api/watch.h"
#include "recipes/jobs/plan_recipe.h"
#include "recipes/show.h"

namespace weightsmith {
namespace internal {

struct ReadRecipe {
  Recipe recipe;
  RecipeOptions options;
  Diagnostics diagnostics;
};

}  // namespace internal

namespace {

std::optional<std::string> Given(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}
std::optional<std::filesystem::path> Given(const std::filesystem::path& path) {
  return path.empty() ? std::nullopt : std::optional(path);
}

internal::RecipeOptions OptionsOf(const RecipeOptions& given) {
  internal::RecipeOptions options;
  for (const auto& [name, value] : given.vars) {
    // A text is read as a recipe would read it, as that of the command line is.
    const auto* const text = std::get_if<std::string>(&value.any());
    options.variables[name] = text != nullptr ? *text : internal::ValueText("vars: " + name, value);
  }
  options.policies.assign(given.policy.begin(), given.policy.end());
  options.output_step = Given(given.output_step);
  options.output_path = Given(given.output);
  options.dtype = Given(given.dtype);
  options.rounding = Given(given.rounding);
  options.max_shard_size = given.max_shard_size;
  options.model_folders = given.models;
  options.presets = Given(given.presets);
  options.private_metadata = given.private_metadata;
  return options;
}

/// `read` gives the recipe, or puts what is wrong into the diagnostics.
template <class Read>
Recipe ReadWith(const RecipeOptions& options, Read read) {
  return internal::Guarded([&] {
    auto made = std::make_shared<internal::ReadRecipe>();
    made->options = OptionsOf(options);
    std::optional<internal::Recipe> recipe = read(made->options, made->diagnostics);
    made->diagnostics.ThrowIfErrors();
    made->recipe = std::move(recipe).value();
    return Recipe(std::move(made));
  });
}

internal::PreparedPlan Prepare(const std::shared_ptr<const internal::ReadRecipe>& read,
                               bool sha256) {
  internal::RecipeOptions options = read->options;
  options.sha256 = sha256;
  internal::Diagnostics diagnostics = read->diagnostics;
  internal::Plan plan = internal::PlanOfRecipe(read->recipe, options, diagnostics);
  return internal::PreparedPlan(std::move(plan), diagnostics, {read, &read->recipe});
}

/// What does not fit in the files of a recipe, beside what has a place in it and goes to the
/// diagnostics.
std::vector<Problem> ProblemsOfFiles(const internal::Recipe& recipe,
                                     const internal::RecipeOptions& options,
                                     internal::Diagnostics& diagnostics) {
  try {
    static_cast<void>(internal::PlanOfRecipe(recipe, options, diagnostics));
    return {};
  } catch (const internal::RecipeProblems&) {
    return {};
  } catch (const Error& error) {
    return {{{}, 0, 0, error.what(), error.advice()}};
  }
}

void AddTo(Validation& validation, const internal::Diagnostics& diagnostics) {
  for (const internal::Diagnostic& diagnostic : diagnostics.all()) {
    const bool error = diagnostic.severity == internal::Severity::kError;
    (error ? validation.errors : validation.warnings).push_back(internal::ProblemOf(diagnostic));
  }
}

}  // namespace

Recipe Recipe::Load(const std::filesystem::path& path, const RecipeOptions& options) {
  return ReadWith(options, [&](const auto& given, auto& diagnostics) {
    return internal::LoadRecipe(path, given, diagnostics);
  });
}

Recipe Recipe::Parse(const std::string& text, const std::filesystem::path& folder,
                     const RecipeOptions& options, const std::string& name) {
  return ReadWith(options, [&](const auto& given, auto& diagnostics) {
    return internal::ParseRecipe({name, text}, folder, given, diagnostics);
  });
}

std::vector<Problem> Recipe::warnings() const {
  Validation validation;
  AddTo(validation, recipe_->diagnostics);
  return validation.warnings;
}

std::string Recipe::Show() const {
  return internal::ShowRecipe(recipe_->recipe);
}

weightsmith::Plan Recipe::Plan(const RunOptions& options) const {
  return internal::Guarded([&] {
    const internal::Watch watch(options, "");
    return internal::PlanResultOf(Prepare(recipe_, options.sha256), watch.options());
  });
}

Report Recipe::Run(const RunOptions& options) const {
  return internal::Guarded([&] {
    internal::Watch watch(options, "merging");
    const internal::PreparedPlan prepared = Prepare(recipe_, options.sha256);
    const internal::Report report =
        watch.Run([&](const auto& engine) { return prepared.Run(engine); });
    return internal::ReportResultOf(prepared, report);
  });
}

Validation Validate(const std::filesystem::path& path, const RecipeOptions& options, bool files) {
  return internal::Guarded([&] {
    const internal::RecipeOptions given = OptionsOf(options);
    internal::Diagnostics diagnostics;
    Validation validation;
    const auto recipe = internal::LoadRecipe(path, given, diagnostics);
    if (files && recipe && !diagnostics.HasErrors()) {
      validation.errors = ProblemsOfFiles(*recipe, given, diagnostics);
    }
    AddTo(validation, diagnostics);
    return validation;
  });
}

}  // namespace weightsmith
