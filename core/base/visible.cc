#include "core/base/visible.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "core/base/utf8.h"

namespace weightsmith::internal {
namespace {

// Characters that a terminal obeys or hides instead of showing.
bool IsInvisible(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c ||
         (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
         (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb);
}

// "\u007f" and not "\x7f": it is then also an escape of JSON, where a raw one may stand.
std::string Escape(char32_t c) {
  switch (c) {
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      return c < 0x20 ? fmt::format("\\x{:02x}", static_cast<std::uint32_t>(c))
                      : fmt::format("\\u{:04x}", static_cast<std::uint32_t>(c));
  }
}

bool IsLayout(char32_t c) {
  return c == '\n' || c == '\t';
}

std::string Shown(std::string_view text, bool keep_layout) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const CodePoint c = FirstCodePoint(text);
    const std::size_t size = std::max<std::size_t>(c.size, 1);
    if (c.size == 0) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[0]));
    } else if (IsInvisible(c.value) && !(keep_layout && IsLayout(c.value))) {
      out += Escape(c.value);
    } else {
      out += text.substr(0, size);
    }
    text.remove_prefix(size);
  }
  return out;
}

// Printable ASCII and line ends, which most texts have nothing but.
bool IsPlain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= 0x20 && c < 0x7f) || c == '\n'; });
}

}  // namespace

std::string Visible(std::string_view text) {
  return Shown(text, /*keep_layout=*/false);
}

std::string VisibleLines(std::string_view text) {
  return IsPlain(text) ? std::string(text) : Shown(text, /*keep_layout=*/true);
}

std::size_t WholeCharacters(std::string_view text, std::size_t limit) {
  std::size_t end = 0;
  while (end < text.size()) {
    const std::size_t size = std::max<std::size_t>(FirstCodePoint(text.substr(end)).size, 1);
    if (end + size > limit) break;
    end += size;
  }
  return end;
}

}  // namespace weightsmith::internal
