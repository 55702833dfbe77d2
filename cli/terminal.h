// Where words go: data on standard output, talk on standard error. Colour and a progress line only
// where somebody looks at them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <mutex>
#include <string>
#include <string_view>

namespace weightsmith {

/// Thrown when the reader of standard output has gone; the program then ends with status 0.
struct BrokenPipe : std::exception {};

enum class Verbosity : std::uint8_t { kQuiet, kNormal, kVerbose };

/// kAuto: a line on a terminal, nothing elsewhere. kJson: one object a line on standard error.
enum class ProgressMode : std::uint8_t { kAuto, kJson, kOff };

enum class Style : std::uint8_t { kBold, kDim, kError, kWarning, kNote };

class Terminal {
 public:
  /// Looks at both streams, NO_COLOR, TERM and COLUMNS.
  Terminal(std::FILE* out, std::FILE* err);

  void set_verbosity(Verbosity verbosity) { verbosity_ = verbosity; }
  void set_progress(ProgressMode mode) { progress_ = mode; }
  bool verbose() const { return verbosity_ == Verbosity::kVerbose; }

  /// Data, as it is, to standard output. Throws BrokenPipe, or kFailed for other errors.
  void Print(std::string_view text);

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

  /// `text` in a style, where standard error (or output) shows colours.
  std::string Paint(Style style, std::string_view text) const;
  std::string PaintData(Style style, std::string_view text) const;

  /// Replaces the progress line, which any other talk removes; empty removes it.
  void ShowProgressLine(const std::string& line);
  /// One machine-readable line on standard error.
  void PrintProgressJson(const std::string& line);
  /// What to show of progress, given the mode, --quiet and where standard error goes.
  bool wants_progress_line() const;
  bool wants_progress_json() const { return progress_ == ProgressMode::kJson; }

  /// Columns of the terminal at standard error; 80 where there is none.
  std::size_t width() const { return width_; }

 private:
  void WriteTalk(std::string_view text);

  std::FILE* out_;
  std::FILE* err_;
  bool talk_is_terminal_ = false;
  bool colour_data_ = false;
  bool colour_talk_ = false;
  std::size_t width_ = 80;
  Verbosity verbosity_ = Verbosity::kNormal;
  ProgressMode progress_ = ProgressMode::kAuto;
  std::mutex mutex_;  ///< of standard error: progress comes from worker threads
  bool line_shown_ = false;
};

}  // namespace weightsmith
