// Where words go: data on standard output, talk on standard error. Colour and a progress line only
// where somebody looks at them.
//
// What files, paths and arguments hold must not drive a terminal, or a log that one shows later:
// every text passes VisibleLines on its way out, on both streams, whether they are terminals or
// not. Only PrintValue keeps bytes, and only where standard output is no terminal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace weightsmith::internal {

/// Thrown when the reader of standard output has gone; the program then ends with status 0.
struct BrokenPipe : std::exception {};

enum class Verbosity : std::uint8_t { kQuiet, kNormal, kVerbose };

/// kAuto: a line on a terminal, nothing elsewhere. kJson: one object a line on standard error.
enum class ProgressMode : std::uint8_t { kAuto, kJson, kOff };

enum class Style : std::uint8_t { kError, kWarning, kNote };

class Terminal {
 public:
  /// Looks at both streams, NO_COLOR, TERM and COLUMNS.
  Terminal(std::FILE* out, std::FILE* err);

  void set_verbosity(Verbosity verbosity) { verbosity_ = verbosity; }
  void set_progress(ProgressMode mode) { progress_ = mode; }
  bool verbose() const { return verbosity_ == Verbosity::kVerbose; }

  /// A report for people to standard output, folded to the width of a terminal. All of the Print
  /// functions throw BrokenPipe, or kFailed for other errors.
  void Print(std::string_view text);
  /// What programs read, to standard output: JSON, YAML, lines with tabs.
  void PrintData(std::string_view text);
  /// A value for `$(…)`, such as a path, and a newline: its very bytes, but on a terminal.
  void PrintValue(std::string_view value);

  /// A line of talk; silent with --quiet.
  void Say(std::string_view line);
  /// Lines of talk, each with its newline.
  void SayText(std::string_view lines);
  /// A line of talk for --verbose only.
  void Detail(std::string_view line);
  void Note(std::string_view line);
  void Warn(std::string_view line);
  /// A finished text that begins with where and what ("mix.yaml:3:5: error: …"); its first word
  /// that ends in ": " and names the severity is painted. Errors are never silent.
  void Tell(Style severity, std::string_view text);
  /// "weightsmith: message", and the advice as a second paragraph. Never silent.
  void Fail(std::string_view message, std::string_view advice);

  /// `text` in a style, where standard error shows colours.
  std::string Paint(Style style, std::string_view text) const;

  /// Replaces the progress line, which any other talk removes; empty removes it.
  void ShowProgressLine(const std::string& line);
  /// One machine-readable line on standard error.
  void PrintProgressJson(const std::string& line);
  /// What to show of progress, given the mode, --quiet and where standard error goes.
  bool wants_progress_line() const;
  bool wants_progress_json() const { return progress_ == ProgressMode::kJson; }

  /// Columns of the terminal at standard error; 80 where there is none.
  std::size_t width() const { return talk_width_.value_or(80); }

 private:
  void WriteData(std::string_view text);
  /// Makes `text` visible and folds it.
  void WriteTalk(std::string_view text);
  /// The same of a line that begins with a painted word.
  void WriteMarked(Style style, std::string_view word, std::string_view text);
  void WriteTalkAsItIs(std::string_view text);

  std::FILE* out_;
  std::FILE* err_;
  bool data_is_terminal_ = false;
  bool talk_is_terminal_ = false;
  bool colour_talk_ = false;
  /// Of a terminal, or what $COLUMNS says; nothing where lines go anywhere and are not folded.
  std::optional<std::size_t> data_width_;
  std::optional<std::size_t> talk_width_;
  Verbosity verbosity_ = Verbosity::kNormal;
  ProgressMode progress_ = ProgressMode::kAuto;
  std::mutex mutex_;  ///< of standard error: progress comes from worker threads
  bool line_shown_ = false;
};

}  // namespace weightsmith::internal
