#include "recipes/source/lines.h"

#include <algorithm>

#include "core/base/text.h"

namespace weightsmith::internal {

std::size_t LineStart(std::string_view text, std::size_t offset) {
  if (offset == 0) return 0;
  const std::size_t before = text.rfind('\n', offset - 1);
  return before == std::string_view::npos ? 0 : before + 1;
}

std::string_view LineAt(std::string_view text, std::size_t start) {
  const std::string_view line = text.substr(start, text.find('\n', start) - start);
  return line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
}

std::size_t NextLine(std::string_view text, std::size_t start) {
  const std::size_t end = text.find('\n', start);
  return end == std::string_view::npos || end + 1 == text.size() ? std::string_view::npos : end + 1;
}

std::size_t LineAbove(std::string_view text, std::size_t start) {
  while (start > 0) {
    start = LineStart(text, start - 1);
    if (!IsBlankLine(LineAt(text, start))) return start;
  }
  return std::string_view::npos;
}

bool IsBlankLine(std::string_view line) {
  const std::string_view words = Trim(line);
  return words.empty() || words.starts_with('#');
}

std::size_t IndentOf(std::string_view line) {
  return std::min(line.find_first_not_of(' '), line.size());
}

}  // namespace weightsmith::internal
