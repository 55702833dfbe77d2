#include "recipes/source/backslashes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "core/base/text.h"
#include "recipes/source/lines.h"

namespace weightsmith::internal {
namespace {

constexpr std::string_view kYamlEscapes = "0abtnvfre \"/\\N_LPxuU\t";
constexpr std::string_view kJsonEscapes = "\"\\/bfnrtu";

bool IsDrive(std::string_view path) {
  return path.size() > 2 && std::isalpha(static_cast<unsigned char>(path[0])) != 0 &&
         path[1] == ':' && (path[2] == '\\' || path[2] == '/');
}

bool IsRegex(std::string_view text) {
  return text.size() > 2 && text.starts_with('/') && text.ends_with('/');
}

/// Whether what a \ starts is an escape: `rest` is what stands behind it.
bool IsEscape(std::string_view rest, Escapes language) {
  const std::string_view known = language == Escapes::kYaml ? kYamlEscapes : kJsonEscapes;
  if (rest.empty() || known.find(rest.front()) == std::string_view::npos) return false;
  const char c = rest.front();
  const std::size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
  const std::string_view number = rest.substr(1, digits);
  return number.size() == digits &&
         std::ranges::all_of(number, [](unsigned char d) { return std::isxdigit(d) != 0; });
}

/// Whether nothing of an entry stands behind a quote any more.
bool EndsEntry(std::string_view behind) {
  const std::size_t next = behind.find_first_not_of(" \t");
  return next == std::string_view::npos ||
         std::string_view(",}]#").find(behind[next]) != std::string_view::npos;
}

/// The end of the text that begins behind a quote; npos where its line ends first. A path such as
/// C:\models\ ends with a \, which does not escape the quote behind it.
std::size_t EndOfText(std::string_view line, std::size_t begin) {
  const bool path = IsWindowsPath(line.substr(begin));
  for (std::size_t at = begin; at < line.size(); ++at) {
    if (line[at] == '"') return at;
    if (line[at] != '\\') continue;
    const bool last = line.substr(at + 1).starts_with('"') && EndsEntry(line.substr(at + 2));
    if (!path || !last) ++at;
  }
  return std::string_view::npos;
}

/// Whether a quote at `at` begins a text: nothing of a word stands in front of it.
bool BeginsText(std::string_view line, std::size_t at) {
  return at == 0 || std::string_view(" \t[{,:").find(line[at - 1]) != std::string_view::npos;
}

/// Of the backslashes of `inside`, whether one is alone, and whether one starts no escape.
std::pair<bool, bool> AloneAndUnknown(std::string_view inside, Escapes language) {
  bool alone = false;
  bool unknown = false;
  for (std::size_t at = inside.find('\\'); at < inside.size(); at = inside.find('\\', at + 2)) {
    const std::string_view rest = inside.substr(at + 1);
    alone = alone || !rest.starts_with('\\');
    unknown = unknown || !IsEscape(rest, language);
  }
  return {alone, unknown};
}

/// Whether a comment of YAML begins in `words`, which stand outside of quotes.
bool HasComment(std::string_view words, bool front) {
  return words.find(" #") != std::string_view::npos || (front && Trim(words).starts_with('#'));
}

}  // namespace

std::string WithForwardSlashes(std::string_view path) {
  std::string out;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '\\' && path.substr(i + 1).starts_with('\\')) continue;
    out += path[i] == '\\' ? '/' : path[i];
  }
  if (!IsDrive(out)) return out;
  const char letter = static_cast<char>(std::tolower(static_cast<unsigned char>(out[0])));
  return fmt::format("/mnt/{}{}", letter, out.substr(2));
}

bool IsWindowsPath(std::string_view path) {
  return IsDrive(path) || path.starts_with("\\\\");
}

std::string PathAdvice(std::string_view path, std::string_view quote) {
  const std::string here = WithForwardSlashes(path);
  if (IsDrive(path)) {
    return fmt::format("Write {0}{1}{0}, which is where WSL has that drive, or another path.",
                       quote, here);
  }
  if (path.starts_with("\\\\")) {
    // Of \\server\share\file.
    const std::size_t share = std::min(here.find('/', 1), here.size());
    return fmt::format("Write the path that this share is mounted at, such as {0}/mnt{1}{0}", quote,
                       here.substr(share));
  }
  return fmt::format("Write {0}{1}{0}", quote, here);
}

std::vector<BrokenText> BrokenTexts(std::string_view text, Escapes language) {
  std::vector<BrokenText> found;
  for (std::size_t start = 0; start < text.size(); start = NextLine(text, start)) {
    const std::string_view line = LineAt(text, start);
    std::size_t behind = 0;  // the text before
    for (std::size_t open = line.find('"'); open < line.size(); open = line.find('"', open + 1)) {
      if (HasComment(line.substr(behind, open - behind), behind == 0)) break;
      if (!BeginsText(line, open)) continue;
      const std::size_t close = EndOfText(line, open + 1);
      if (close == std::string_view::npos) break;
      const std::string_view inside = line.substr(open + 1, close - open - 1);
      const auto [alone, unknown] = AloneAndUnknown(inside, language);
      if (unknown || (alone && IsWindowsPath(inside))) {
        found.push_back({start + open, inside, unknown});
      }
      open = close;
      behind = close + 1;
    }
  }
  return found;
}

std::string BackslashAdvice(std::string_view inside, Escapes language) {
  constexpr std::size_t kLongest = 300;
  const bool json = language == Escapes::kJson;
  if (inside.size() > kLongest) return "Use / in paths, and \\\\ for a \\ that is meant.";
  const std::string_view name = inside.substr(inside.rfind('\\') + 1);
  const bool path = IsWindowsPath(inside) || inside.find(' ') == std::string_view::npos ||
                    name.find('.') != std::string_view::npos;
  if (path && !IsRegex(inside)) return PathAdvice(inside, json ? "\"" : "");
  std::string meant;
  std::string escaped;
  for (std::size_t at = 0; at < inside.size(); ++at) {
    const bool backslash = inside[at] == '\\';
    if (backslash && inside.substr(at + 1).starts_with('\\')) ++at;
    meant += inside[at];
    escaped += backslash ? std::string("\\\\") : std::string(1, inside[at]);
  }
  if (json || meant.find('\'') != std::string::npos) return fmt::format("Write \"{}\"", escaped);
  return fmt::format("Write '{}', in single quotes.", meant);
}

}  // namespace weightsmith::internal
