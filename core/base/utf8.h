// UTF-8, checked and written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weightsmith::internal {

/// The offset of the first byte that is not valid UTF-8 (overlong forms and surrogates are not), or
/// npos.
std::size_t FindInvalidUtf8(std::string_view text);

struct CodePoint {
  char32_t value = 0;
  std::size_t size = 0;  ///< bytes; 0 where the text is not valid UTF-8
};

/// The first character of `text`. REQUIRES: it is not empty.
CodePoint FirstCodePoint(std::string_view text);

/// Appends `code` in UTF-8. REQUIRES: a Unicode scalar value.
void AppendUtf8(std::uint32_t code, std::string& out);

}  // namespace weightsmith::internal
