// Foreign text, made safe to show: names in files, metadata, paths, arguments. A terminal obeys
// control characters, hides some and turns the direction of writing by others.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace weightsmith::internal {

/// `text` on one line: control characters, invisible ones and those that turn the direction of
/// writing as "\n", "\x1b", "\u202e", and bytes that are not UTF-8 as "\xff".
std::string Visible(std::string_view text);

/// The same, but line ends and tabs stay: for text that is laid out already. JSON stays the same
/// JSON.
std::string VisibleLines(std::string_view text);

/// Bytes of the longest start of `text` whose visible form comes from at most `limit` bytes.
std::size_t WholeCharacters(std::string_view text, std::size_t limit);

}  // namespace weightsmith::internal
