#include "cli/render/quoted_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "cli/render/layout.h"
#include "core/base/utf8.h"
#include "core/base/visible.h"

namespace weightsmith::internal {
namespace {

constexpr std::string_view kBar = " | ";

// "     |      ^": nothing but a bar and a caret.
bool IsCaret(std::string_view line) {
  return line.ends_with('^') && line.find(kBar) != std::string_view::npos &&
         line.find_first_not_of(" |^") == std::string_view::npos;
}

std::size_t BytesOf(std::string_view text, std::size_t characters) {
  std::size_t bytes = 0;
  for (; characters > 0 && bytes < text.size(); --characters) {
    bytes += std::max<std::size_t>(FirstCodePoint(text.substr(bytes)).size, 1);
  }
  return bytes;
}

// The end of `text` that takes at most `width` columns.
std::string EndOfWidth(std::string_view text, std::size_t width) {
  while (DisplayWidth(text) > width) text.remove_prefix(BytesOf(text, 1));
  return std::string(text);
}

std::string Quoted(std::string_view line, std::string_view caret,
                   std::optional<std::size_t> width) {
  const std::size_t margin = caret.find(kBar) + kBar.size();
  const std::string_view body = line.substr(std::min(margin, line.size()));
  const std::size_t split = BytesOf(body, caret.size() - 1 - margin);
  std::string before = Visible(body.substr(0, split));
  std::string after = Visible(body.substr(split));
  const std::size_t room = width && *width > margin + 8 ? *width - margin : std::string::npos;
  if (DisplayWidth(before) + DisplayWidth(after) > room) {
    const std::size_t left = room * 2 / 3;
    if (DisplayWidth(before) > left) before = "…" + EndOfWidth(before, left - 1);
    const std::size_t right = room - DisplayWidth(before);
    if (DisplayWidth(after) > right) after = after.substr(0, PrefixOfWidth(after, right - 1)) + "…";
  }
  return fmt::format("{}{}{}\n{}{}^", line.substr(0, std::min(margin, line.size())), before, after,
                     caret.substr(0, margin), std::string(DisplayWidth(before), ' '));
}

}  // namespace

std::string ShowDiagnostic(std::string_view text, std::optional<std::size_t> width) {
  const std::vector<std::string_view> lines = SplitLines(text);
  std::string out;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i + 1 < lines.size() && IsCaret(lines[i + 1])) {
      out += Quoted(lines[i], lines[i + 1], width);
      ++i;
    } else {
      const std::string visible = VisibleLines(lines[i]);
      out += width ? Fold(visible, *width) : visible;
    }
    out += '\n';
  }
  return out;
}

}  // namespace weightsmith::internal
