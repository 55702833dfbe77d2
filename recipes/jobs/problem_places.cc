#include "recipes/jobs/problem_places.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/text.h"

namespace weightsmith::internal {
namespace {

std::vector<std::string_view> Lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

bool Names(std::string_view line, std::string_view name) {
  return line.find(Quote(name)) != std::string_view::npos;
}

/// The step that a line begins with, or else the place of the row of it that the line names.
std::optional<SourcePlace> PlaceOfStep(std::string_view line, const Recipe& recipe) {
  for (const RecipeNode& node : recipe.nodes) {
    if (node.node.leaf() || node.place.source == nullptr) continue;
    if (!line.starts_with("step " + Quote(node.node.name))) continue;
    for (const auto& [row, place] : node.rows) {
      if (Names(line, row)) return place;
    }
    return node.place;
  }
  return std::nullopt;
}

/// Whether a line names the output, a file of its folder, or the folder that it is to be in.
bool NamesOutput(std::string_view line, const std::filesystem::path& path) {
  const std::string beginning = "'" + path.string();
  const std::string folder = path.parent_path().string();
  return line.find(beginning) != std::string_view::npos || (!folder.empty() && Names(line, folder));
}

bool WrittenByPerson(const SourcePlace& place) {
  return place.source != nullptr && !place.source->generated;
}

/// Of a step, a model or an adapter, or an output's path.
std::optional<SourcePlace> PlaceOf(std::string_view line, const Recipe& recipe) {
  if (const auto step = PlaceOfStep(line, recipe)) return step;
  for (const RecipeModel& model : recipe.models) {
    const std::string words = (model.adapter ? "adapter " : "model ") + Quote(model.name);
    if (line.starts_with(words) && WrittenByPerson(model.place)) return model.place;
  }
  for (const RecipeOutput& output : recipe.outputs) {
    if (output.path && WrittenByPerson(output.place) && NamesOutput(line, *output.path)) {
      return output.place;
    }
  }
  for (const RecipeModel& model : recipe.models) {
    if (Names(line, model.name) && WrittenByPerson(model.place)) return model.place;
  }
  return std::nullopt;
}

bool NamesModel(std::string_view line, const Recipe& recipe) {
  return std::ranges::any_of(recipe.models,
                             [&](const RecipeModel& model) { return Names(line, model.name); });
}

}  // namespace

bool AddProblems(const Error& error, const Recipe& recipe, Diagnostics& diagnostics) {
  if (error.code() == ErrorCode::kInterrupted) return false;
  const std::string_view message = error.message();
  const std::vector<std::string_view> lines = Lines(message);
  // What names nothing is of the result, and is said at the output; of a model that has no place
  // (it stands on the command line) its name says enough.
  std::optional<SourcePlace> fallback;
  if (error.code() == ErrorCode::kMismatch && !recipe.outputs.empty() &&
      WrittenByPerson(recipe.outputs.front().place)) {
    fallback = recipe.outputs.front().place;
  }
  const bool any =
      std::ranges::any_of(lines, [&](auto line) { return PlaceOf(line, recipe).has_value(); });
  if (!any && !fallback) return false;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const bool last = i + 1 == lines.size();
    const Error problem(error.code(), std::string(lines[i]), last ? error.advice() : "",
                        last ? error.options() : std::vector<Option>());
    const bool at_output = fallback && !NamesModel(lines[i], recipe);
    diagnostics.AddError(PlaceOf(lines[i], recipe).value_or(at_output ? *fallback : SourcePlace()),
                         problem);
  }
  return true;
}

}  // namespace weightsmith::internal
