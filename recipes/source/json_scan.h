// The faults of JSON that people make many times over, all of them at once: the parser stops at the
// first.
#pragma once

#include <string_view>
#include <vector>

#include "recipes/source/backslashes.h"
#include "recipes/source/json_problem.h"

namespace weightsmith::internal {

JsonProblem AsProblem(const BrokenText& broken);

/// Commas that are missing or too many, comments, and texts whose \ is not one, in the order of
/// the text, up to a text that is not closed.
std::vector<JsonProblem> ScanJson(std::string_view text);

}  // namespace weightsmith::internal
