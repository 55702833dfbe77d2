#include "recipes/jobs/generated_recipe.h"

#include <optional>
#include <utility>
#include <vector>

#include "core/base/utf8.h"
#include "recipes/jobs/plan_recipe.h"

namespace weightsmith::internal {
namespace {

[[noreturn]] void ThrowWithoutPlaces(const RecipeProblems& problems) {
  std::string message;
  std::vector<Diagnostic> errors;
  for (const Diagnostic& problem : problems.errors()) {
    message += (message.empty() ? "" : "\n") + problem.message;
    if (!problem.advice.empty()) message += "\n  " + problem.advice;
    errors.push_back({problem.severity, {}, problem.message, problem.advice});
  }
  throw RecipeProblems(problems.code(), std::move(message), problems.options(), std::move(errors));
}

}  // namespace

Recipe ReadGenerated(const GeneratedRecipe& source, const RecipeOptions& options,
                     Diagnostics& diagnostics) {
  SourceText text{"recipe", source.text};
  text.generated = true;
  Recipe recipe = [&] {
    try {
      std::optional<Recipe> parsed = ParseRecipe(text, {}, options, diagnostics);
      diagnostics.ThrowIfErrors();
      return std::move(parsed).value();
    } catch (const RecipeProblems& problems) {
      ThrowWithoutPlaces(problems);
    }
  }();
  for (RecipeModel& model : recipe.models) {
    model.place = {};
    for (RecipeModel::Part& part : model.parts) part.file.place = {};
    const auto path = source.paths.find(model.name);
    if (path != source.paths.end()) model.parts.front().file.path = path->second;
  }
  for (RecipeNode& node : recipe.nodes) node.place = {};
  for (RecipeOutput& output : recipe.outputs) output.place = {};
  return recipe;
}

Plan PlanOfGenerated(const Recipe& recipe, const RecipeOptions& options, Diagnostics& diagnostics) {
  try {
    return PlanOfRecipe(recipe, options, diagnostics);
  } catch (const RecipeProblems& problems) {
    ThrowWithoutPlaces(problems);
  }
}

std::string PathInRecipe(const std::filesystem::path& path) {
  const std::string bytes = path.string();
  const bool is_text = FindInvalidUtf8(bytes) == std::string::npos;
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    const bool written = byte >= 0x20 && byte != 0x7F && (is_text || byte < 0x80);
    text += written ? c : '_';
    if (c == '{' || c == '}') text += c;
  }
  return text.starts_with('$') ? "./" + text : text;
}

std::string WarningText(const Diagnostic& warning) {
  if (warning.place.source != nullptr) return Render(warning);
  return warning.message + (warning.advice.empty() ? "" : "\n  " + warning.advice);
}

}  // namespace weightsmith::internal
