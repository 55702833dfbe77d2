// Reads the marks of YAML in a few lines that could not be read, to name the one at fault: a
// character that no text begins with, a comma or a quote that is missing, a bracket too many.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "recipes/source/yaml_problem.h"

namespace weightsmith::internal {

/// The first such fault from `begin`, the start of a line, up to `end`.
std::optional<YamlProblem> ScanMarks(std::string_view text, std::size_t begin, std::size_t end);

}  // namespace weightsmith::internal
