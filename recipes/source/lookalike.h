// Characters that look like a space, a quote, a colon or a comma and that YAML and JSON take for
// letters: word processors, chats and web pages put them into recipes.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace weightsmith::internal {

struct Lookalike {
  std::size_t offset = 0;  ///< in bytes
  std::string message;     ///< "a no-break space (U+00A0), which is not a space to YAML"
  std::string advice;
};

/// The first such character of an unquoted scalar, where it cannot be meant: a space or a quote in
/// front or behind, a space behind a colon, a character without a width anywhere.
std::optional<Lookalike> LookalikeInScalar(std::string_view scalar);

/// The first such character of a line that could not be read, outside of straight quotes.
std::optional<Lookalike> LookalikeInLine(std::string_view line);

}  // namespace weightsmith::internal
