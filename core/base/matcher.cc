#include "core/base/matcher.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include "core/base/text.h"

namespace weightsmith::internal {
namespace {

constexpr std::size_t kLongestPattern = 1000;

re2::StringPiece Piece(std::string_view text) {
  return {text.data(), text.size()};
}

bool IsBackReference(std::string_view escape) {
  return escape.size() >= 2 && escape[0] == '\\' &&
         ((escape[1] >= '1' && escape[1] <= '9') || escape[1] == 'k');
}

std::string Describe(const re2::RE2& regex) {
  const std::string& part = regex.error_arg();
  // RE2 reports the letters that it knows of "(?P=name)".
  if (part == "(?P" && regex.pattern().find("(?P=") != std::string::npos) {
    return fmt::format("back-references are not supported: {}", Quote("(?P="));
  }
  switch (regex.error_code()) {
    case re2::RE2::ErrorBadPerlOp:
      if (part.starts_with("(?=") || part.starts_with("(?!") || part.starts_with("(?<")) {
        return fmt::format("look-ahead and look-behind are not supported: {}", Quote(part, 40));
      }
      break;
    case re2::RE2::ErrorBadEscape:
      if (IsBackReference(part)) {
        return fmt::format("back-references are not supported: {}", Quote(part, 40));
      }
      break;
    case re2::RE2::ErrorPatternTooLarge:
      return "it is too large to be compiled";
    default:
      break;
  }
  return fmt::format("it is malformed: {}", Quote(regex.error(), 120));
}

}  // namespace

std::optional<Matcher> Matcher::Compile(std::string_view pattern, std::string& problem) {
  if (pattern.size() > kLongestPattern) {
    problem = fmt::format("it has {} bytes, more than {}", FormatCount(pattern.size()),
                          FormatCount(kLongestPattern));
    return std::nullopt;
  }
  re2::RE2::Options options;
  options.set_log_errors(false);
  auto regex = std::make_shared<const re2::RE2>(Piece(pattern), options);
  if (!regex->ok()) {
    problem = Describe(*regex);
    return std::nullopt;
  }
  return Matcher(std::move(regex));
}

bool Matcher::Search(std::string_view text) const {
  return re2::RE2::PartialMatch(Piece(text), *regex_);
}

bool Matcher::MatchesAll(std::string_view text) const {
  return re2::RE2::FullMatch(Piece(text), *regex_);
}

const std::string& Matcher::pattern() const {
  return regex_->pattern();
}

}  // namespace weightsmith::internal
