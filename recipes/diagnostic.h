// Problems in what a user wrote, collected and shown together, each with its place.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace weightsmith {

/// The text of a recipe file, kept to show the line that a problem is in.
struct SourceText {
  std::string name;  ///< as shown: the path as given, "<stdin>", "--set", "command line"
  std::string text;
};

/// A place in a text; line and column count from 1, 0 where there is none.
struct SourcePlace {
  std::shared_ptr<const SourceText> source;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

enum class Severity : std::uint8_t { kError, kWarning };

struct Diagnostic {
  Severity severity = Severity::kError;
  SourcePlace place;
  std::string message;  ///< what is wrong and what was expected
  std::string advice;   ///< what to write; may be empty
};

class Diagnostics {
 public:
  void AddError(const SourcePlace& place, std::string message, std::string advice = {});
  void AddWarning(const SourcePlace& place, std::string message, std::string advice = {});
  bool HasErrors() const;
  const std::vector<Diagnostic>& all() const { return all_; }

  /// Throws kUsage with all errors rendered, when there are any.
  void ThrowIfErrors() const;

 private:
  std::vector<Diagnostic> all_;
};

/// "file:line:column: error: message", the line, a caret under the place, the advice.
std::string Render(const Diagnostic& diagnostic);

}  // namespace weightsmith
