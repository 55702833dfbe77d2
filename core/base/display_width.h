// How many columns of a terminal text takes.
#pragma once

#include <cstddef>
#include <string_view>

namespace weightsmith::internal {

/// Columns of UTF-8 text: two for a wide character (of Chinese, Japanese, Korean, emoji), none for
/// a mark that combines with the character before it, one for others and for an invalid byte.
std::size_t DisplayWidth(std::string_view text);

/// Bytes of the longest start of `text` that takes at most `width` columns, whole characters alone.
std::size_t PrefixOfWidth(std::string_view text, std::size_t width);

}  // namespace weightsmith::internal
