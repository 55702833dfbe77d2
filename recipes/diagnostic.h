// Problems in what a user wrote, collected and shown together, each with its place.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"

namespace weightsmith::internal {

/// What a caller says beside a recipe. How it is written is a matter of the front end: `--dtype`,
/// `dtype=`.
enum class Setting : std::uint8_t {
  kNone,
  kVariable,  ///< the value of one
  kPolicy,
  kSelectOutput,  ///< which step is written
  kOutputPath,
  kDType,
  kRounding,
  kMaxShardSize,
};

struct SourceText;

/// A part of a generated text reaches up to the next one.
struct SourcePart {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::shared_ptr<const SourceText> origin;  ///< where it was written; null for nowhere
};

/// The text of a recipe file, kept to show the line that a problem is in.
struct SourceText {
  std::string name;  ///< as shown: the path as given, "<stdin>", "dtype", "variable 'w'"
  std::string text;
  Setting setting = Setting::kNone;  ///< what this is the value of, where it is no file
  std::string key{};                 ///< of a variable or policy
  bool quotable = true;              ///< whether a message may show lines of it
  /// Made by a program of what a person wrote elsewhere: no message may name a line of it.
  bool generated = false;
  std::vector<SourcePart> parts{};  ///< of a generated text, by where they begin
};

/// The same text, of which no line is shown.
std::shared_ptr<const SourceText> WithoutLines(const SourceText& source);

/// A place in a text; line and column count from 1, 0 where there is none.
struct SourcePlace {
  std::shared_ptr<const SourceText> source;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

/// The place where a person wrote what stands at `place`.
SourcePlace OriginOf(const SourcePlace& place);

enum class Severity : std::uint8_t { kError, kWarning };

struct Diagnostic {
  Severity severity = Severity::kError;
  SourcePlace place;
  std::string message;                 ///< what is wrong and what was expected
  std::string advice;                  ///< what to write; may be empty
  std::vector<Option> options{};       ///< settings that would help, for the front end to spell
  ErrorCode code = ErrorCode::kUsage;  ///< another where a file is at fault that the text names
};

class Diagnostics {
 public:
  /// Throws as ThrowIfErrors when there are very many.
  void AddError(const SourcePlace& place, std::string message, std::string advice = {},
                std::vector<Option> options = {});
  /// An error of a file that is named at this place in the text.
  void AddError(const SourcePlace& place, const Error& error);
  /// Of very many, only the first are kept.
  void AddWarning(const SourcePlace& place, std::string message, std::string advice = {});
  bool HasErrors() const;
  const std::vector<Diagnostic>& all() const { return all_; }

  /// Throws RecipeProblems, when there are errors.
  void ThrowIfErrors() const;

 private:
  void Add(Diagnostic error);

  std::vector<Diagnostic> all_;
  std::size_t errors_ = 0;
  std::size_t warnings_ = 0;
};

/// Everything that is wrong in a text, the errors rendered one after another. The code is that of
/// the first.
class RecipeProblems : public Error {
 public:
  RecipeProblems(ErrorCode code, std::string message, std::vector<Option> options,
                 std::vector<Diagnostic> errors)
      : Error(code, std::move(message), {}, std::move(options)), errors_(std::move(errors)) {}

  const std::vector<Diagnostic>& errors() const { return errors_; }

 private:
  std::vector<Diagnostic> errors_;
};

/// Puts the words of a front end into a message.
struct Spelling {
  std::string (*source)(const SourceText&) = nullptr;  ///< a name for a setting's text
  std::string (*advice)(Option) = nullptr;             ///< a sentence
};

/// "file:line:column: error: message", the line, a caret under the place, the advice.
std::string Render(const Diagnostic& diagnostic, const Spelling& spelling = {});

}  // namespace weightsmith::internal
