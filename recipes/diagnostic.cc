#include "recipes/diagnostic.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/error.h"

namespace weightsmith {
namespace {

constexpr std::size_t kShownColumns = 160;
/// Errors, and warnings, that a text is told of: each costs a search through it.
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

/// The line and, below it, a caret; tabs become spaces so that the two agree.
std::string RenderLine(const SourcePlace& place) {
  std::string shown;
  std::size_t columns = 0;
  for (const char c : LineOf(place.source->text, place.line)) {
    const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
    if (!ContinuesCharacter(c) && ++columns > kShownColumns) break;
    shown += control ? ' ' : c;
  }
  if (shown.empty() && place.column <= 1) return {};
  const std::string number = std::to_string(place.line);
  std::string out = fmt::format("\n  {} | {}", number, shown);
  if (place.column <= columns + 1) {
    out += fmt::format("\n  {:{}} | {:{}}^", "", number.size(), "", place.column - 1);
  }
  return out;
}

}  // namespace

void Diagnostics::AddError(const SourcePlace& place, std::string message, std::string advice) {
  all_.push_back({Severity::kError, place, std::move(message), std::move(advice)});
  if (++errors_ < kMostProblems) return;
  all_.push_back({Severity::kError,
                  {place.source, 0, 0},
                  fmt::format("the text has {} errors or more; no further ones are reported",
                              kMostProblems),
                  {}});
  ThrowIfErrors();
}

void Diagnostics::AddWarning(const SourcePlace& place, std::string message, std::string advice) {
  if (++warnings_ > kMostProblems) return;
  all_.push_back({Severity::kWarning, place, std::move(message), std::move(advice)});
  if (warnings_ < kMostProblems) return;
  all_.push_back({Severity::kWarning,
                  {place.source, 0, 0},
                  fmt::format("further warnings than these {} are not reported", kMostProblems),
                  {}});
}

bool Diagnostics::HasErrors() const {
  return std::ranges::any_of(all_,
                             [](const Diagnostic& d) { return d.severity == Severity::kError; });
}

void Diagnostics::ThrowIfErrors() const {
  std::string message;
  std::vector<Diagnostic> errors;
  for (const Diagnostic& diagnostic : all_) {
    if (diagnostic.severity != Severity::kError) continue;
    if (!message.empty()) message += '\n';
    message += Render(diagnostic);
    errors.push_back(diagnostic);
  }
  if (!errors.empty()) throw RecipeProblems(std::move(message), std::move(errors));
}

std::string Render(const Diagnostic& diagnostic) {
  const SourcePlace& place = diagnostic.place;
  std::string out;
  if (place.source != nullptr) {
    out += place.source->name;
    if (place.line > 0) out += fmt::format(":{}:{}", place.line, place.column);
    out += ": ";
  }
  out += diagnostic.severity == Severity::kError ? "error: " : "warning: ";
  out += diagnostic.message;
  if (place.source != nullptr && place.line > 0 && place.column > 0) out += RenderLine(place);
  if (!diagnostic.advice.empty()) out += "\n  " + diagnostic.advice;
  return out;
}

}  // namespace weightsmith
