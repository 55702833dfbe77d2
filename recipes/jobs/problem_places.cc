#include "recipes/jobs/problem_places.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "core/text.h"

namespace weightsmith {
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

/// The step that a line begins with, or else the place of the row of it that the line names.
std::optional<SourcePlace> PlaceOf(std::string_view line, const Recipe& recipe) {
  for (const RecipeNode& node : recipe.nodes) {
    if (node.node.leaf() || node.place.source == nullptr) continue;
    if (!line.starts_with("step " + Quote(node.node.name))) continue;
    for (const auto& [row, place] : node.rows) {
      if (line.find(Quote(row)) != std::string_view::npos) return place;
    }
    return node.place;
  }
  return std::nullopt;
}

}  // namespace

bool AddProblems(const Error& error, const Recipe& recipe, Diagnostics& diagnostics) {
  const std::string_view message = error.message();
  const std::vector<std::string_view> lines = Lines(message);
  if (std::ranges::none_of(lines, [&](auto line) { return PlaceOf(line, recipe).has_value(); })) {
    return false;
  }
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const bool last = i + 1 == lines.size();
    const Error problem(error.code(), std::string(lines[i]), last ? error.advice() : "",
                        last ? error.options() : std::vector<Option>());
    diagnostics.AddError(PlaceOf(lines[i], recipe).value_or(SourcePlace()), problem);
  }
  return true;
}

}  // namespace weightsmith
