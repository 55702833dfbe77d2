#include "cli/render/layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/base/text.h"

namespace weightsmith::internal {
namespace {

// Fills lines of a page with words; a word longer than a line stands alone.
class Filler {
 public:
  Filler(std::string& page, std::size_t indent, std::size_t width)
      : page_(page), indent_(indent), width_(width) {}

  void Add(std::string_view text) {
    while (!text.empty()) {
      const std::size_t end = std::min(text.find(' '), text.size());
      if (end > 0) AddWord(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
  }

  void EndLine() {
    if (!line_.empty()) AddLine(line_);
    line_.clear();
  }

  void AddLine(std::string_view line) {
    if (!line.empty()) page_.append(indent_, ' ').append(line);
    page_ += '\n';
  }

 private:
  void AddWord(std::string_view word) {
    const bool fits = indent_ + DisplayWidth(line_) + 1 + DisplayWidth(word) <= width_;
    if (!fits) EndLine();
    if (!line_.empty()) line_ += ' ';
    line_ += word;
  }

  std::string& page_;
  std::size_t indent_;
  std::size_t width_;
  std::string line_;
};

// Columns that the lines after the first are indented by: to the second column of a table, where
// there is one in the left half, else a little more than the line itself.
std::size_t HangingIndent(std::string_view line, std::size_t width) {
  const std::size_t start = std::min(line.find_first_not_of(' '), line.size());
  const std::size_t gap = line.find("  ", start);
  if (gap != std::string_view::npos) {
    const std::size_t column = DisplayWidth(line.substr(0, line.find_first_not_of(' ', gap)));
    if (column <= width / 2) return column;
  }
  return std::min(start + 2, width / 2);
}

// Where the first line of `line` ends, and where the next one begins.
std::pair<std::size_t, std::size_t> Break(std::string_view line, std::size_t width) {
  const std::size_t fits = PrefixOfWidth(line, width);
  if (fits == line.size()) return {fits, fits};
  const std::size_t text = line.find_first_not_of(' ');
  const std::size_t space = line.rfind(' ', fits);
  if (space == std::string_view::npos || text >= space) {
    const std::size_t end = std::max<std::size_t>(fits, 1);
    return {end, end};
  }
  const std::size_t end = line.find_last_not_of(' ', space) + 1;
  return {end, std::min(line.find_first_not_of(' ', space), line.size())};
}

}  // namespace

std::vector<std::string_view> SplitLines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  return lines;
}

std::string Fold(std::string_view text, std::size_t width) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    const std::size_t indent = HangingIndent(line, width);
    std::size_t room = width;
    while (DisplayWidth(line) > room) {
      const auto [stop, next] = Break(line, room);
      out.append(line.substr(0, stop)).append("\n");
      line.remove_prefix(next);
      if (line.empty()) break;
      out.append(indent, ' ');
      room = width - indent;
    }
    out += line;
    if (end < text.size()) out += '\n';
    at = end + 1;
  }
  return out;
}

std::string PadRight(std::string_view text, std::size_t width) {
  const std::size_t used = DisplayWidth(text);
  return std::string(text) + std::string(used < width ? width - used : 0, ' ');
}

std::string PadLeft(std::string_view text, std::size_t width) {
  const std::size_t used = DisplayWidth(text);
  return std::string(used < width ? width - used : 0, ' ') + std::string(text);
}

std::string Counted(std::uint64_t count, std::string_view thing) {
  return fmt::format("{} {}{}", FormatCount(count), thing, count == 1 ? "" : "s");
}

std::string Wrap(std::string_view text, std::size_t indent, std::size_t width) {
  std::string page;
  Filler filler(page, indent, width);
  for (const std::string_view line : SplitLines(text)) {
    if (line.empty() || line.front() == ' ') {
      filler.EndLine();
      filler.AddLine(line);
    } else {
      filler.Add(line);
    }
  }
  filler.EndLine();
  return page;
}

std::string Table(const std::vector<TableRow>& rows, std::size_t max_left, std::size_t width) {
  constexpr std::size_t kIndent = 2;
  constexpr std::size_t kGap = 2;
  std::size_t left_width = 0;
  for (const TableRow& row : rows) {
    const std::size_t wide = DisplayWidth(row.left);
    if (wide <= max_left) left_width = std::max(left_width, wide);
  }
  const std::size_t column = kIndent + left_width + kGap;
  std::string page;
  for (const TableRow& row : rows) {
    const std::string left = std::string(kIndent, ' ') + row.left;
    const std::string right = Wrap(row.right, column, width);
    if (row.right.empty()) {
      page += left + "\n";
    } else if (DisplayWidth(row.left) > left_width) {
      page += left + "\n" + right;
    } else {
      page += PadRight(left, column) + right.substr(column);
    }
  }
  return page;
}

}  // namespace weightsmith::internal
