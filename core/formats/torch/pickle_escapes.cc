#include "core/formats/torch/pickle_escapes.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace weightsmith::internal {
namespace {

/// The number that the next `size` digits spell, which are then taken.
std::optional<std::uint32_t> TakeDigits(std::string_view& text, std::size_t size, int base) {
  if (text.size() < size) return std::nullopt;
  std::uint32_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + size, value, base);
  if (error != std::errc() || stop != text.data() + size) return std::nullopt;
  text.remove_prefix(size);
  return value;
}

std::optional<char> SimpleEscape(char letter) {
  constexpr std::string_view kLetters = "\\'\"abfnrtv";
  constexpr std::string_view kMeant = "\\'\"\a\b\f\n\r\t\v";
  const std::size_t at = kLetters.find(letter);
  if (at == std::string_view::npos) return std::nullopt;
  return kMeant[at];
}

void AppendUtf8(std::string& text, std::uint32_t code) {
  const auto add = [&](std::uint32_t byte) { text += static_cast<char>(byte); };
  if (code < 0x80) return add(code);
  if (code < 0x800) {
    add(0xC0 | code >> 6);
  } else {
    if (code < 0x10000) {
      add(0xE0 | code >> 12);
    } else {
      add(0xF0 | code >> 18);
      add(0x80 | (code >> 12 & 0x3F));
    }
    add(0x80 | (code >> 6 & 0x3F));
  }
  add(0x80 | (code & 0x3F));
}

}  // namespace

std::optional<std::string> UnescapeBytes(std::string_view text) {
  std::string plain;
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c != '\\') {
      plain += c;
      continue;
    }
    if (text.empty()) return std::nullopt;
    const char letter = text.front();
    if (const auto simple = SimpleEscape(letter)) {
      plain += *simple;
      text.remove_prefix(1);
      continue;
    }
    const bool hexadecimal = letter == 'x';
    std::size_t size = 2;
    if (hexadecimal) {
      text.remove_prefix(1);
    } else {
      size = std::min(text.find_first_not_of("01234567"), text.size());
      size = std::min<std::size_t>(size, 3);
      if (size == 0) return std::nullopt;
    }
    const auto code = TakeDigits(text, size, hexadecimal ? 16 : 8);
    if (!code) return std::nullopt;
    plain += static_cast<char>(*code & 0xFF);
  }
  return plain;
}

std::optional<std::string> UnescapeUnicode(std::string_view text) {
  std::string plain;
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    const bool escape = c == '\\' && (text.starts_with('u') || text.starts_with('U'));
    if (!escape) {
      AppendUtf8(plain, static_cast<unsigned char>(c));
      continue;
    }
    const std::size_t size = text.front() == 'u' ? 4 : 8;
    text.remove_prefix(1);
    const auto code = TakeDigits(text, size, 16);
    if (!code || *code > 0x10FFFF) return std::nullopt;
    AppendUtf8(plain, *code);
  }
  return plain;
}

}  // namespace weightsmith::internal
