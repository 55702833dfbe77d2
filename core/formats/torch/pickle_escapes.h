// The escapes in strings of protocol 0, as Python decodes them. Private to core/torch/pickle.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weightsmith::internal {

/// Of Python 2's str: \n, \x41, \101 …; nothing where one is malformed.
std::optional<std::string> UnescapeBytes(std::string_view text);

/// Of "raw-unicode-escape": Latin-1 and \u0041, as UTF-8; nothing where one is malformed.
std::optional<std::string> UnescapeUnicode(std::string_view text);

}  // namespace weightsmith::internal
