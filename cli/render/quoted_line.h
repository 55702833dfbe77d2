// A line of a recipe with a caret below it, as a terminal shows it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace weightsmith::internal {

/// The text of a diagnostic, made visible: lines that quote a recipe ("  3 | text") keep their
/// caret below the same character, whatever columns the characters before it take, and of a line
/// wider than `width` they show the part around it. Other lines are folded.
std::string ShowDiagnostic(std::string_view text, std::optional<std::size_t> width);

}  // namespace weightsmith::internal
