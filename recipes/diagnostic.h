// Problems in what a user wrote, collected and shown together, each with its place.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"

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
  /// Throws as ThrowIfErrors when there are very many.
  void AddError(const SourcePlace& place, std::string message, std::string advice = {});
  /// Of very many, only the first are kept.
  void AddWarning(const SourcePlace& place, std::string message, std::string advice = {});
  bool HasErrors() const;
  const std::vector<Diagnostic>& all() const { return all_; }

  /// Throws RecipeProblems, when there are errors.
  void ThrowIfErrors() const;

 private:
  std::vector<Diagnostic> all_;
  std::size_t errors_ = 0;
  std::size_t warnings_ = 0;
};

/// Everything that is wrong in a text: kUsage, the errors rendered one after another.
class RecipeProblems : public Error {
 public:
  RecipeProblems(std::string message, std::vector<Diagnostic> errors)
      : Error(ErrorCode::kUsage, std::move(message)), errors_(std::move(errors)) {}

  const std::vector<Diagnostic>& errors() const { return errors_; }

 private:
  std::vector<Diagnostic> errors_;
};

/// "file:line:column: error: message", the line, a caret under the place, the advice.
std::string Render(const Diagnostic& diagnostic);

}  // namespace weightsmith
