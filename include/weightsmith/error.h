// The one exception of the library. A message names the operation, the thing, what was found and
// what was expected; advice is a second sentence.
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weightsmith {

/// What went wrong; the values are the program's exit statuses.
enum class ErrorCode {
  kFailed = 1,        ///< while running: I/O, target folder
  kUsage = 2,         ///< arguments or the text of a recipe; an existing output; output = input
  kMismatch = 3,      ///< a valid recipe does not fit its files
  kInput = 4,         ///< an input file is missing or malformed
  kHash = 5,          ///< a hash does not match
  kResources = 6,     ///< it would not fit in memory or on disk
  kVerification = 7,  ///< a check that was asked for said no
  kNoEffect = 8,      ///< something that should have an effect has none
  kInterrupted = 130,
};

/// A setting that would help. How it is written is a matter of each front end (`--force`,
/// `overwrite=True`, `RunOptions::overwrite`): no message spells it.
enum class Option : std::uint8_t {
  kOverwrite,         ///< replace outputs that exist
  kMakeFolders,       ///< make missing folders of outputs
  kMaxMemory,         ///< the memory that a run may hold
  kReadInsteadOfMap,  ///< read files by system calls
  kAllowUnmatched,    ///< modules of adapters that may change nothing
  kModelFolders,      ///< where models are looked for
  kModelPath,         ///< which file a model is
  kSelectOutput,      ///< which step is written
  kMaxShardSize,      ///< the most bytes of a file of the output
  kTrustPartial,      ///< go on from a partial output without reading it back
  kCheckFileOnly,     ///< verify without computing again
};

/// Its name in this library: "RunOptions::overwrite".
[[nodiscard]] std::string_view NameOf(Option option);

class Error : public std::exception {
 public:
  Error(ErrorCode code, std::string message, std::string advice = {},
        std::vector<Option> options = {});

  [[nodiscard]] ErrorCode code() const noexcept { return code_; }
  /// The message with its context: "merging 'x': reading 'a.safetensors': …".
  [[nodiscard]] const char* what() const noexcept override { return full_.c_str(); }
  [[nodiscard]] const std::string& message() const noexcept { return message_; }
  /// What the user can do about it; may be empty.
  [[nodiscard]] const std::string& advice() const noexcept { return advice_; }
  /// Settings that would help, for the front end to add to the advice.
  [[nodiscard]] const std::vector<Option>& options() const noexcept { return options_; }

  /// Puts what was being done in front of the message; the outermost is added last.
  void AddContext(std::string_view doing);

 private:
  ErrorCode code_;
  std::string message_;
  std::string advice_;
  std::string full_;
  std::vector<Option> options_;
};

/// One thing that is wrong, or doubtful, in a recipe. Lines and columns count from 1; 0, and an
/// empty file, where there is no place.
struct Problem {
  std::string file;  ///< as it was given; "recipe" of a text without a name
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::string message;
  std::string advice;  ///< what to write instead; may be empty
};

/// A recipe that cannot be run: what() has everything that is wrong in it, with the lines.
class RecipeError : public Error {
 public:
  RecipeError(ErrorCode code, std::string message, std::vector<Option> options,
              std::vector<Problem> problems)
      : Error(code, std::move(message), {}, std::move(options)), problems_(std::move(problems)) {}

  /// At least one.
  [[nodiscard]] const std::vector<Problem>& problems() const noexcept { return problems_; }

 private:
  std::vector<Problem> problems_;
};

}  // namespace weightsmith
