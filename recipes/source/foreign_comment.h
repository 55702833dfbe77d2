// Comments in YAML that are written as those of C: alpha: 0.3 // 30 percent
#pragma once

#include <string_view>
#include <vector>

#include "recipes/source/yaml_problem.h"

namespace weightsmith::internal {

/// Whether a text without quotes has such a comment in it: "0.3 // x", and not "https://x",
/// "//server/x", "out//x".
bool HasForeignComment(std::string_view plain);

/// Every line with one, outside of quotes, of comments, and of what is text: metadata, and a
/// variable that is no number.
std::vector<YamlProblem> ForeignComments(std::string_view text);

}  // namespace weightsmith::internal
