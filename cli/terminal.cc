#include "cli/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "cli/render/layout.h"
#include "cli/render/quoted_line.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/base/visible.h"

namespace weightsmith::internal {
namespace {

constexpr std::size_t kMinWidth = 40;
constexpr std::size_t kMaxWidth = 1000;

bool IsTerminal(std::FILE* stream) {
  return isatty(fileno(stream)) == 1;
}

std::string_view Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view{} : value;
}

// https://no-color.org: set and not empty, whatever the value.
bool ColourAllowed() {
  return Environment("NO_COLOR").empty() && Environment("TERM") != "dumb";
}

std::optional<std::size_t> Columns(std::FILE* stream) {
  winsize size{};
  if (ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col >= kMinWidth) {
    return size.ws_col;
  }
  const std::optional<double> columns = ParseNumber(Environment("COLUMNS"));
  if (columns && *columns >= kMinWidth && *columns <= kMaxWidth) {
    return static_cast<std::size_t>(*columns);
  }
  if (IsTerminal(stream)) return 80;
  return std::nullopt;
}

std::string_view Code(Style style) {
  switch (style) {
    case Style::kError:
      return "\x1b[1;31m";
    case Style::kWarning:
      return "\x1b[1;33m";
    case Style::kNote:
      return "\x1b[36m";
  }
  return {};
}

std::string Painted(bool colour, Style style, std::string_view text) {
  if (!colour) return std::string(text);
  return fmt::format("{}{}\x1b[0m", Code(style), text);
}

}  // namespace

Terminal::Terminal(std::FILE* out, std::FILE* err)
    : out_(out),
      err_(err),
      data_is_terminal_(IsTerminal(out)),
      talk_is_terminal_(IsTerminal(err)),
      colour_talk_(ColourAllowed() && talk_is_terminal_),
      data_width_(Columns(out)),
      talk_width_(Columns(err)) {}

void Terminal::Print(std::string_view text) {
  const std::string visible = VisibleLines(text);
  WriteData(data_width_ ? Fold(visible, *data_width_) : visible);
}

void Terminal::PrintData(std::string_view text) {
  WriteData(VisibleLines(text));
}

void Terminal::PrintValue(std::string_view value) {
  WriteData(fmt::format("{}\n", data_is_terminal_ ? Visible(value) : std::string(value)));
}

void Terminal::WriteData(std::string_view text) {
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), out_) == text.size() && std::fflush(out_) == 0)
    return;
  if (errno == EPIPE) throw BrokenPipe();
  throw Error(ErrorCode::kFailed,
              fmt::format("writing to standard output: {}", std::strerror(errno)));
}

void Terminal::SayText(std::string_view lines) {
  if (verbosity_ != Verbosity::kQuiet && !lines.empty()) WriteTalk(lines);
}

void Terminal::Say(std::string_view line) {
  SayText(fmt::format("{}\n", line));
}

void Terminal::Detail(std::string_view line) {
  if (verbosity_ == Verbosity::kVerbose) WriteTalk(fmt::format("{}\n", line));
}

void Terminal::Note(std::string_view line) {
  if (verbosity_ != Verbosity::kQuiet) WriteMarked(Style::kNote, "note:", line);
}

void Terminal::Warn(std::string_view line) {
  if (verbosity_ != Verbosity::kQuiet) WriteMarked(Style::kWarning, "warning:", line);
}

void Terminal::Tell(Style severity, std::string_view text) {
  if (severity != Style::kError && verbosity_ == Verbosity::kQuiet) return;
  const std::string_view word = severity == Style::kError ? "error:" : "warning:";
  std::string painted = ShowDiagnostic(text, talk_width_);
  if (const std::size_t at = painted.find(word); at != std::string::npos) {
    painted.replace(at, word.size(), Paint(severity, word));
  }
  WriteTalkAsItIs(painted);
}

void Terminal::Fail(std::string_view message, std::string_view advice) {
  WriteMarked(Style::kError, "weightsmith:",
              advice.empty() ? std::string(message) : fmt::format("{}\n\n{}", message, advice));
}

std::string Terminal::Paint(Style style, std::string_view text) const {
  return Painted(colour_talk_, style, text);
}

bool Terminal::wants_progress_line() const {
  return progress_ == ProgressMode::kAuto && verbosity_ != Verbosity::kQuiet && talk_is_terminal_;
}

void Terminal::ShowProgressLine(const std::string& line) {
  const std::lock_guard lock(mutex_);
  if (line.empty() && !line_shown_) return;
  // Back to the first column, the new line over the old one, the rest of the old one erased.
  const std::string text = "\r" + Visible(line) + "\x1b[K";
  std::fwrite(text.data(), 1, text.size(), err_);
  std::fflush(err_);
  line_shown_ = !line.empty();
}

void Terminal::PrintProgressJson(const std::string& line) {
  WriteTalkAsItIs(VisibleLines(line) + "\n");
}

void Terminal::WriteTalk(std::string_view text) {
  const std::string lines = VisibleLines(text);
  WriteTalkAsItIs(talk_width_ ? Fold(lines, *talk_width_) : lines);
}

void Terminal::WriteMarked(Style style, std::string_view word, std::string_view text) {
  std::string lines = VisibleLines(fmt::format("{} {}\n", word, text));
  if (talk_width_) lines = Fold(lines, *talk_width_);
  WriteTalkAsItIs(Paint(style, word) + lines.substr(word.size()));
}

// A standard error that cannot be written is no reason to stop: there is nowhere to report it.
void Terminal::WriteTalkAsItIs(std::string_view text) {
  const std::lock_guard lock(mutex_);
  if (line_shown_) {
    constexpr std::string_view kEraseLine = "\r\x1b[K";
    std::fwrite(kEraseLine.data(), 1, kEraseLine.size(), err_);
    line_shown_ = false;
  }
  std::fwrite(text.data(), 1, text.size(), err_);
  std::fflush(err_);
}

}  // namespace weightsmith::internal
