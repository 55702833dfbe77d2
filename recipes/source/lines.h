// The lines of a text that could not be read, by the offset of their first byte.
#pragma once

#include <cstddef>
#include <string_view>

namespace weightsmith::internal {

/// The start of the line that holds the byte at `offset`.
std::size_t LineStart(std::string_view text, std::size_t offset);

/// The line that begins at `start`, without its end.
std::string_view LineAt(std::string_view text, std::size_t start);

/// The start of the next line; npos behind the last one.
std::size_t NextLine(std::string_view text, std::size_t start);

/// The line above that is neither blank nor a comment; npos where there is none.
std::size_t LineAbove(std::string_view text, std::size_t start);

/// Whether a line is blank or a comment.
bool IsBlankLine(std::string_view line);

/// The spaces at the front of a line.
std::size_t IndentOf(std::string_view line);

}  // namespace weightsmith::internal
