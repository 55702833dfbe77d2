#include "cli/alpha_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/base/error.h"
#include "core/base/text.h"
#include "recipes/source/text_file.h"
#include "recipes/source/writer.h"

namespace weightsmith::internal {
namespace {

std::vector<std::string_view> Split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = std::min(text.find_first_of(separators), text.size());
    if (const std::string_view part = Trim(text.substr(0, end)); !part.empty()) {
      parts.push_back(part);
    }
    if (end == text.size()) return parts;
    text.remove_prefix(end + 1);
  }
}

/// Rows "place<separator>value"; one part without a separator is the default.
std::string Rows(const std::vector<std::string_view>& parts, char separator,
                 const std::string& words) {
  std::vector<std::string> rows;
  for (const std::string_view part : parts) {
    const std::size_t at = part.rfind(separator);
    const std::string_view place = at == std::string_view::npos ? "default" : part.substr(0, at);
    const std::string_view value = at == std::string_view::npos ? part : part.substr(at + 1);
    if (Trim(place).empty() || Trim(value).empty()) {
      throw Error(
          ErrorCode::kUsage,
          fmt::format("alpha: {} in {} is not a row PLACE=VALUE", Quote(part), Quote(words, 80)),
          "Write a number followed by rows: 0.3,IN00=0,te=0.");
    }
    rows.push_back(fmt::format("{}: {}", YamlQuoted(Trim(place)), Trim(value)));
  }
  return fmt::format("{{{}}}", fmt::join(rows, ", "));
}

}  // namespace

std::string AlphaText(const std::string& words) {
  const std::string_view text = Trim(words);
  if (text.starts_with('@')) {
    const std::string held = ReadTextFile(std::string(text.substr(1)));
    const std::string_view inside = Trim(held);
    const bool lines = inside.find_first_of(":\n") != std::string_view::npos &&
                       !inside.starts_with('{') && !inside.starts_with('[') &&
                       inside.find('=') == std::string_view::npos;
    if (lines && inside.find(':') != std::string_view::npos) {
      return Rows(Split(inside, "\n"), ':', words);
    }
    std::string line(inside);
    std::ranges::replace(line, '\n', lines ? ',' : ' ');
    return AlphaText(line);
  }
  if (text.starts_with('{') || text.starts_with('[')) return std::string(text);
  const std::vector<std::string_view> parts = Split(text, ",");
  if (parts.size() <= 1 && text.find('=') == std::string_view::npos) return std::string(text);
  if (text.find('=') == std::string_view::npos) {
    return fmt::format("[{}]", fmt::join(parts, ", "));
  }
  return Rows(parts, '=', words);
}

}  // namespace weightsmith::internal
