#include "recipes/jobs/problem_places.h"

#include <fmt/format.h>

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

/// How messages name a step: as it is, or quoted.
bool NamesStep(std::string_view words, const std::string& name) {
  return words.starts_with(fmt::format("step '{}'", name)) ||
         words.starts_with("step " + Quote(name));
}

/// Of a step that the line names where it begins with `words`: the place of the row of it that the
/// line names, or else its own.
std::optional<SourcePlace> PlaceOfStep(std::string_view words, std::string_view line,
                                       const Recipe& recipe) {
  for (const RecipeNode& node : recipe.nodes) {
    if (node.node.leaf() || node.place.source == nullptr) continue;
    if (!NamesStep(words, node.node.name)) continue;
    for (const auto& [row, place] : node.rows) {
      if (Names(line, row)) return place;
    }
    return node.place;
  }
  return std::nullopt;
}

/// The first step that a line names, anywhere: "…: 210 MB of it are for step 'mix'".
std::optional<SourcePlace> PlaceOfAnyStep(std::string_view line, const Recipe& recipe) {
  constexpr std::string_view kStep = "step '";
  for (std::size_t at = line.find(kStep); at != std::string_view::npos;
       at = line.find(kStep, at + 1)) {
    if (const auto place = PlaceOfStep(line.substr(at), line, recipe)) return place;
  }
  return std::nullopt;
}

/// The row of a policy of the whole recipe that the line names.
std::optional<SourcePlace> PlaceOfPolicy(std::string_view line, const Recipe& recipe) {
  if (!line.starts_with("policy '")) return std::nullopt;
  for (const auto& [row, place] : recipe.policy_rows) {
    if (Names(line, row)) return place;
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
  if (const auto step = PlaceOfStep(line, line, recipe)) return step;
  for (const RecipeModel& model : recipe.models) {
    const std::string words = (model.adapter ? "adapter " : "model ") + Quote(model.name);
    if (line.starts_with(words) && WrittenByPerson(model.place)) return model.place;
  }
  if (const auto step = PlaceOfAnyStep(line, recipe)) return step;
  if (const auto policy = PlaceOfPolicy(line, recipe)) return policy;
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

/// The output whose file is named, or else the first that has a place; null where none has.
const RecipeOutput* OutputMeant(std::string_view message, const Recipe& recipe) {
  const RecipeOutput* meant = nullptr;
  for (const RecipeOutput& output : recipe.outputs) {
    if (!WrittenByPerson(output.place)) continue;
    const bool named = output.path && Names(message, output.path->filename().string());
    if (meant == nullptr || named) meant = &output;
    if (named) break;
  }
  return meant;
}

/// Of the output; where its path is no part of the text, of the step that it is the result of.
std::optional<SourcePlace> PlaceOfResult(std::string_view message, const Recipe& recipe) {
  const RecipeOutput* const output = OutputMeant(message, recipe);
  if (output == nullptr) return std::nullopt;
  const SourcePlace& step = recipe.nodes[output->root].place;
  const bool elsewhere = output->place.line == 0 || !output->declared;
  return elsewhere && WrittenByPerson(step) ? step : output->place;
}

bool NamesModel(std::string_view line, const Recipe& recipe) {
  return std::ranges::any_of(recipe.models,
                             [&](const RecipeModel& model) { return Names(line, model.name); });
}

bool NamesAnyStep(std::string_view line, const Recipe& recipe) {
  return PlaceOfAnyStep(line, recipe).has_value();
}

/// A problem for each line, at the place that `place_of` gives it; the last one has the advice.
template <class PlaceOfLine>
void AddLines(const Error& error, const std::vector<std::string_view>& lines,
              const PlaceOfLine& place_of, Diagnostics& diagnostics) {
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const bool last = i + 1 == lines.size();
    const Error problem(error.code(), std::string(lines[i]), last ? error.advice() : "",
                        last ? error.options() : std::vector<Option>());
    diagnostics.AddError(place_of(lines[i]), problem);
  }
}

}  // namespace

bool AddProblems(const Error& error, const Recipe& recipe, Diagnostics& diagnostics) {
  if (error.code() == ErrorCode::kInterrupted) return false;
  const std::vector<std::string_view> lines = Lines(error.message());
  // What names nothing is of the result, and is said at the output; of a model that has no place
  // (it stands on the command line) its name says enough.
  const RecipeOutput* const output =
      error.code() == ErrorCode::kMismatch ? OutputMeant(error.message(), recipe) : nullptr;
  const bool any =
      std::ranges::any_of(lines, [&](auto line) { return PlaceOf(line, recipe).has_value(); });
  if (!any && output == nullptr) return false;
  const auto place_of = [&](std::string_view line) {
    const bool at_output = output != nullptr && !NamesModel(line, recipe);
    return PlaceOf(line, recipe).value_or(at_output ? output->place : SourcePlace());
  };
  AddLines(error, lines, place_of, diagnostics);
  return true;
}

bool AddRunProblems(const Error& error, const Recipe& recipe, Diagnostics& diagnostics) {
  if (error.code() == ErrorCode::kInterrupted) return false;
  const std::string_view text = error.what();
  const std::vector<std::string_view> lines = Lines(text);
  const bool of_result =
      error.code() == ErrorCode::kMismatch || error.code() == ErrorCode::kNoEffect;
  const std::optional<SourcePlace> result = of_result ? PlaceOfResult(text, recipe) : std::nullopt;
  const bool any =
      std::ranges::any_of(lines, [&](auto line) { return NamesAnyStep(line, recipe); });
  if (!any && !result) return false;
  const auto place_of = [&](std::string_view line) {
    return PlaceOfAnyStep(line, recipe).value_or(result.value_or(SourcePlace()));
  };
  AddLines(error, lines, place_of, diagnostics);
  return true;
}

}  // namespace weightsmith::internal
