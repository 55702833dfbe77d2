#include "recipes/source/json_problem.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>

#include "core/base/text.h"
#include "recipes/source/backslashes.h"
#include "recipes/source/json_scan.h"
#include "recipes/source/lines.h"
#include "recipes/source/lookalike.h"

namespace weightsmith::internal {
namespace {

constexpr std::string_view kJsonSpace = " \t\r\n";

bool IsWordCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '-' ||
         c == '/' || c == '$';
}

/// The front of the word that `at` is in.
std::size_t WordStart(std::string_view text, std::size_t at) {
  while (at > 0 && IsWordCharacter(text[at - 1])) --at;
  return at;
}

std::string_view WordAt(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && IsWordCharacter(text[end])) ++end;
  return text.substr(at, end - at);
}

/// Without the library's own prefix: "[json.exception…] parse error at line 1, column 2: … - ".
std::string_view Reason(std::string_view said) {
  for (const std::string_view prefix : {"] ", ": ", " - "}) {
    const std::size_t at = said.find(prefix);
    if (at != std::string_view::npos) said.remove_prefix(at + prefix.size());
  }
  return said;
}

JsonProblem AtEnd(std::string_view text) {
  const std::size_t end = text.find_last_not_of(kJsonSpace);
  const auto count = [&](char c) { return std::ranges::count(text, c); };
  const std::string_view missing = count('[') > count(']') ? "]" : "}";
  return {end == std::string_view::npos ? 0 : end,
          fmt::format("the text ends here, before its last {}", missing),
          fmt::format("Write {} behind it.", missing)};
}

JsonProblem SingleQuote(std::string_view text, std::size_t at) {
  const std::string_view rest = text.substr(at + 1);
  const std::string_view inside = rest.substr(0, std::min(rest.find('\''), std::size_t{60}));
  return {at, "JSON takes double quotes only",
          fmt::format("Write \"{}\", and so for every text.", inside)};
}

/// "0.3" of "0,3" or ".3", and where that begins; nothing for other words.
std::optional<JsonProblem> Number(std::string_view text, std::size_t start) {
  const std::string_view word = WordAt(text, start);
  const auto digits = [](std::string_view part) {
    return !part.empty() &&
           std::ranges::all_of(part, [](unsigned char c) { return std::isdigit(c) != 0; });
  };
  const bool minus = word.starts_with('-');
  const std::string_view rest = word.substr(minus ? 1 : 0);
  const std::string_view sign = minus ? "-" : "";
  if (rest.starts_with('.') && digits(rest.substr(1))) {
    return JsonProblem{start, fmt::format("{} is not a number of JSON", Quote(word)),
                       fmt::format("Write {}0{}", sign, rest)};
  }
  if (rest.ends_with('.') && digits(rest.substr(0, rest.size() - 1))) {
    return JsonProblem{start, fmt::format("{} is not a number of JSON", Quote(word)),
                       fmt::format("Write {}{}0", sign, rest)};
  }
  if (start < 2 || text[start - 1] != ',' || !digits(word)) return std::nullopt;
  const std::size_t front = WordStart(text, start - 1);
  const std::string_view whole = WordAt(text, front);
  if (!digits(whole.starts_with('-') ? whole.substr(1) : whole)) return std::nullopt;
  return JsonProblem{front, "a comma ends the entry in JSON, and no number has one in it",
                     fmt::format("Write {}.{}, with a point.", whole, word)};
}

/// Whether the parser gave up in a text because of a \: one in front of the last quote hides that,
/// and the text goes on to the end of its line.
bool IsOfText(std::string_view reason) {
  return reason.find("backslash") != std::string_view::npos ||
         reason.find("4 hex digits") != std::string_view::npos ||
         reason.find("(LF)") != std::string_view::npos;
}

/// The text with a \ that the parser gave up in.
std::optional<JsonProblem> Backslash(std::string_view text, std::size_t at) {
  const std::vector<BrokenText> texts = BrokenTexts(text, Escapes::kJson);
  const std::size_t line = LineStart(text, at);
  const auto behind = std::ranges::upper_bound(texts, at, {}, &BrokenText::offset);
  if (behind == texts.begin() || (behind - 1)->offset < line) return std::nullopt;
  return AsProblem(*(behind - 1));
}

/// A word without quotes.
JsonProblem Word(std::string_view text, std::size_t at) {
  const std::size_t start = WordStart(text, at);
  const std::string_view word = WordAt(text, start);
  if (auto number = Number(text, start)) return *number;
  const std::string lower = Lowercase(word);
  const bool constant = lower == "true" || lower == "false";
  return {start,
          fmt::format("{} is not JSON: only numbers, true and false stand without quotes",
                      Quote(word, 60)),
          constant ? fmt::format("Write {}", lower)
                   : fmt::format("Write \"{}\". As YAML quotes are not needed: then give the file "
                                 "a name that ends with .yaml, and let it begin without a brace.",
                                 word)};
}

JsonProblem ExplainOne(std::string_view text, std::size_t offset, std::string_view said) {
  const std::size_t at = std::min(offset, text.size());
  if (text.substr(at).find_first_not_of(kJsonSpace) == std::string_view::npos) return AtEnd(text);
  if (IsOfText(Reason(said))) {
    if (const auto problem = Backslash(text, at)) return *problem;
  }
  const char found = text[at];
  const std::size_t before =
      at == 0 ? std::string_view::npos : text.find_last_not_of(kJsonSpace, at - 1);
  const char previous = before == std::string_view::npos ? '\0' : text[before];
  if (found == '"' && Reason(said).find("unexpected string") != std::string_view::npos) {
    // The parser stops at the end of the string.
    const std::size_t start = at == 0 ? at : text.rfind('"', at - 1);
    return {start == std::string_view::npos ? at : start, "a comma is missing in front of this",
            "Write a comma behind the entry before it."};
  }
  if (previous == ',' && (found == '}' || found == ']')) {
    return {before, fmt::format("this comma stands in front of {}, with nothing in between", found),
            "In JSON the last entry has no comma: remove the comma."};
  }
  if (found == '#' || (found == '/' && text.substr(at + 1).find_first_of("/*") == 0) ||
      (previous == '/' && before + 1 == at && (found == '/' || found == '*'))) {
    return {found == '#' || previous != '/' ? at : before, "JSON has no comments",
            "Remove the comment, or write the recipe as YAML, which has # comments."};
  }
  if (Reason(said).find("surrogate") != std::string_view::npos ||
      Reason(said).find("overflow") != std::string_view::npos) {
    return {at, fmt::format("this is not valid JSON: {}", Reason(said)), {}};
  }
  if (found == '\'') return SingleQuote(text, at);
  const bool value_ends = previous == '}' || previous == ']' || previous == '"' ||
                          std::isalnum(static_cast<unsigned char>(previous)) != 0;
  if (value_ends && (found == '"' || found == '{' || found == '[')) {
    return {at, "a comma is missing in front of this", "Write a comma behind the entry before it."};
  }
  if (const auto lookalike = LookalikeInScalar(text.substr(at, text.find('\n', at) - at))) {
    return {at + lookalike->offset, lookalike->message, lookalike->advice};
  }
  if (Reason(said).find("backslash") != std::string_view::npos) {
    return {at, "a \\ starts an escape, and this one is unknown",
            "Use / in paths, or \\\\ for a \\."};
  }
  if (IsWordCharacter(found)) return Word(text, at);
  return {at, fmt::format("this is not valid JSON: {}", Reason(said)), {}};
}

}  // namespace

std::vector<JsonProblem> ExplainJson(std::string_view text, std::size_t offset,
                                     std::string_view said) {
  constexpr std::size_t kMost = 20;
  const JsonProblem first = ExplainOne(text, offset, said);
  std::vector<JsonProblem> all = ScanJson(text);
  if (std::ranges::find(all, first.offset, &JsonProblem::offset) == all.end()) return {first};
  if (all.size() > kMost) all.resize(kMost);
  return all;
}

}  // namespace weightsmith::internal
