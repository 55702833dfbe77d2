#include "recipes/diagnostic.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "core/base/error.h"
#include "core/base/visible.h"

namespace weightsmith::internal {
namespace {

constexpr std::size_t kShownColumns = 160;
constexpr std::size_t kMargin = 40;  // behind the caret
/// Errors, and warnings, that are reported of a text: each costs a search through it.
constexpr std::size_t kMostProblems = 100;

bool ContinuesCharacter(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

std::string_view LineOf(std::string_view text, std::uint32_t line) {
  for (std::uint32_t i = 1; i < line; ++i) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  text = text.substr(0, text.find('\n'));
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

/// Characters of the line from `first`, from 0, at most kShownColumns; a tab is an arrow, and
/// other control characters become spaces, so that line and caret agree.
std::string Characters(std::string_view line, std::size_t first) {
  std::string shown;
  std::size_t column = 0;
  for (const char c : line) {
    if (!ContinuesCharacter(c)) ++column;
    if (column <= first) continue;
    if (column > first + kShownColumns) break;
    const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
    if (c == '\t') {
      shown += "→";
    } else {
      shown += control ? ' ' : c;
    }
  }
  if (column > first + kShownColumns) shown += "…";
  return shown;
}

/// The line, or of a long one the part around the place, and below it a caret.
std::string RenderLine(const SourcePlace& place) {
  const std::string_view line = LineOf(place.source->text, place.line);
  const std::size_t column = place.column - 1;
  const std::size_t first = column < kShownColumns - kMargin ? 0 : column - kShownColumns / 2;
  const std::string shown = Characters(line, first);
  if (shown.empty() && first == 0 && column == 0) return {};
  const std::string number = std::to_string(place.line);
  const std::string_view cut = first > 0 ? "…" : "";
  std::string out = fmt::format("\n  {} | {}{}", number, cut, shown);
  const std::size_t before = column - first + (first > 0 ? 1 : 0);
  return out + fmt::format("\n  {:{}} | {:{}}^", "", number.size(), "", before);
}

}  // namespace

std::shared_ptr<const SourceText> WithoutLines(const SourceText& source) {
  SourceText hidden = source;
  hidden.text.clear();
  hidden.quotable = false;
  return std::make_shared<const SourceText>(std::move(hidden));
}

SourcePlace OriginOf(const SourcePlace& place) {
  if (place.source == nullptr || !place.source->generated) return place;
  SourcePlace origin;
  for (const SourcePart& part : place.source->parts) {
    if (std::pair(part.line, part.column) > std::pair(place.line, place.column)) break;
    origin.source = part.origin;
  }
  return origin;
}

void Diagnostics::AddError(const SourcePlace& place, std::string message, std::string advice,
                           std::vector<Option> options) {
  Add({Severity::kError, OriginOf(place), std::move(message), std::move(advice),
       std::move(options)});
}

void Diagnostics::AddError(const SourcePlace& place, const Error& error) {
  Add({Severity::kError, OriginOf(place), error.what(), error.advice(), error.options(),
       error.code()});
}

void Diagnostics::Add(Diagnostic error) {
  const SourcePlace nowhere{error.place.source, 0, 0};
  all_.push_back(std::move(error));
  if (++errors_ < kMostProblems) return;
  Diagnostic last;
  last.place = nowhere;
  last.message =
      fmt::format("the text has {} errors or more; no further ones are reported", kMostProblems);
  all_.push_back(std::move(last));
  ThrowIfErrors();
}

void Diagnostics::AddWarning(const SourcePlace& place, std::string message, std::string advice) {
  if (++warnings_ > kMostProblems) return;
  Diagnostic warning;
  warning.severity = Severity::kWarning;
  warning.place = OriginOf(place);
  warning.message = std::move(message);
  warning.advice = std::move(advice);
  all_.push_back(warning);
  if (warnings_ < kMostProblems) return;
  warning.place.line = warning.place.column = 0;
  warning.message = fmt::format("further warnings than these {} are not reported", kMostProblems);
  warning.advice.clear();
  all_.push_back(std::move(warning));
}

bool Diagnostics::HasErrors() const {
  return std::ranges::any_of(all_,
                             [](const Diagnostic& d) { return d.severity == Severity::kError; });
}

void Diagnostics::ThrowIfErrors() const {
  std::string message;
  std::vector<Diagnostic> errors;
  std::set<Option> options;
  for (const Diagnostic& diagnostic : all_) {
    if (diagnostic.severity != Severity::kError) continue;
    if (!message.empty()) message += '\n';
    message += Render(diagnostic);
    errors.push_back(diagnostic);
    options.insert(diagnostic.options.begin(), diagnostic.options.end());
  }
  if (errors.empty()) return;
  const ErrorCode code = errors.front().code;
  throw RecipeProblems(code, std::move(message), {options.begin(), options.end()},
                       std::move(errors));
}

std::string Render(const Diagnostic& diagnostic, const Spelling& spelling) {
  const SourcePlace& place = diagnostic.place;
  std::string out;
  if (place.source != nullptr) {
    const bool setting = place.source->setting != Setting::kNone && spelling.source != nullptr;
    out += Visible(setting ? spelling.source(*place.source) : place.source->name);
    if (place.line > 0) out += fmt::format(":{}:{}", place.line, place.column);
    if (!out.empty()) out += ": ";
  }
  out += diagnostic.severity == Severity::kError ? "error: " : "warning: ";
  out += diagnostic.message;
  const bool quoted = place.source != nullptr && place.source->quotable;
  if (quoted && place.line > 0 && place.column > 0) out += RenderLine(place);
  std::string advice = diagnostic.advice;
  for (const Option option : diagnostic.options) {
    if (spelling.advice == nullptr) break;
    if (!advice.empty()) advice += ' ';
    advice += spelling.advice(option);
  }
  std::string_view rest = advice;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    out += fmt::format("\n  {}", rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return out;
}

}  // namespace weightsmith::internal
