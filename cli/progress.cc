#include "cli/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cli/schemas.h"
#include "core/base/display_width.h"
#include "core/base/text.h"
#include "core/base/visible.h"
#include "recipes/jobs/record-inl.h"

namespace weightsmith::internal {
namespace {

constexpr auto kRedrawInterval = std::chrono::milliseconds(100);
constexpr std::size_t kBarWidth = 24;

double Share(const ProgressState& state) {
  if (state.total == 0) return 1;
  return std::min(1.0, static_cast<double>(state.done) / static_cast<double>(state.total));
}

std::uint64_t DoneHere(const ProgressState& state) {
  return state.done - std::min(state.done, state.done_before);
}

std::string Bar(double share) {
  const auto filled = static_cast<std::size_t>(share * kBarWidth);
  return "[" + std::string(filled, '#') + std::string(kBarWidth - filled, '-') + "]";
}

// Both sizes in the unit of the total, which is then written once: "1.11 of 2.13 GB".
std::string FormatAmount(std::uint64_t done, std::uint64_t total) {
  struct Unit {
    double size;
    const char* name;
  };
  constexpr Unit kUnits[] = {{1e12, "TB"}, {1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}};
  for (const Unit& unit : kUnits) {
    if (static_cast<double>(total) >= unit.size) {
      return fmt::format("{:.2f} of {:.2f} {}", static_cast<double>(done) / unit.size,
                         static_cast<double>(total) / unit.size, unit.name);
    }
  }
  return fmt::format("{} of {} B", done, total);
}

}  // namespace

std::string FormatDuration(double seconds) {
  constexpr double kLongest = 359999;  // 99:59:59: beyond that, nobody waits for the digits
  const auto whole = static_cast<std::uint64_t>(std::ceil(std::clamp(seconds, 0.0, kLongest)));
  const std::uint64_t hours = whole / 3600;
  const std::uint64_t minutes = whole / 60 % 60;
  if (hours > 0) return fmt::format("{}:{:02}:{:02}", hours, minutes, whole % 60);
  return fmt::format("{}:{:02}", minutes, whole % 60);
}

std::string FormatRate(std::uint64_t bytes, double seconds) {
  const double rate = seconds > 0 ? static_cast<double>(bytes) / seconds : 0;
  return fmt::format("{:.2f} GB/s", rate / 1e9);
}

std::optional<double> EstimateRemaining(const ProgressState& state) {
  if (state.done >= state.total) return 0;
  const std::uint64_t here = DoneHere(state);
  if (here == 0 || state.seconds <= 0) return std::nullopt;
  const auto remaining = static_cast<double>(state.total - state.done);
  return remaining * state.seconds / static_cast<double>(here);
}

std::string FormatProgressLine(const ProgressState& state, std::size_t width) {
  const double share = Share(state);
  const std::optional<double> remaining = EstimateRemaining(state);
  const std::string numbers = fmt::format(
      "{:3.0f} %  {}  {}  {} left", std::floor(share * 100), FormatAmount(state.done, state.total),
      FormatRate(DoneHere(state), state.seconds), remaining ? FormatDuration(*remaining) : "-:--");
  const std::string label = Visible(state.label);
  std::string line = fmt::format("{}  {}  {}", label, Bar(share), numbers);
  if (DisplayWidth(line) > width) line = fmt::format("{}  {}", label, numbers);
  if (DisplayWidth(line) > width) line = numbers;
  return line.substr(0, PrefixOfWidth(line, width));
}

template <>
const Record<ProgressState>& RecordOf() {
  static const Record<ProgressState> record = {
      "ProgressEvent",
      "How far a command is.",
      {{"event", [](const ProgressState&) { return "progress"; }, "Always \"progress\"."},
       {"phase", &ProgressState::label, "What is being done."},
       {"bytes_done", &ProgressState::done, "Of bytes_total."},
       {"bytes_total", &ProgressState::total, "Of this phase."},
       {"seconds", &ProgressState::seconds, "Since its start."},
       {"bytes_per_second",
        [](const ProgressState& state) {
          return state.seconds > 0 ? static_cast<double>(DoneHere(state)) / state.seconds : 0.0;
        },
        "The mean rate."},
       {"eta_seconds", EstimateRemaining, "That remain; null before there is a rate."}}};
  return record;
}

std::string FormatProgressJson(const ProgressState& state) {
  return ToLine(JsonValue<ProgressState>::Write(state));
}

std::string ProgressSchema() {
  return JsonSchema<ProgressState>();
}

ProgressMeter::ProgressMeter(Terminal& terminal, std::string label)
    : terminal_(terminal), label_(std::move(label)) {}

ProgressMeter::~ProgressMeter() {
  terminal_.ShowProgressLine("");
}

void ProgressMeter::Finish() {
  if (last_shown_) Update(total_, total_);
}

double ProgressMeter::seconds() const {
  return std::chrono::duration<double>(Clock::now() - start_).count();
}

void ProgressMeter::Update(std::uint64_t done, std::uint64_t total) {
  const bool line = terminal_.wants_progress_line();
  const bool json = terminal_.wants_progress_json();
  if (!line && !json) return;
  const std::lock_guard lock(mutex_);
  if (!done_before_) done_before_ = done;
  total_ = total;
  const Clock::time_point now = Clock::now();
  if (last_shown_ && now - *last_shown_ < kRedrawInterval && done < total) return;
  last_shown_ = now;
  const ProgressState state{label_, done, total, seconds(), *done_before_};
  if (json) terminal_.PrintProgressJson(FormatProgressJson(state));
  // The last column stays free: a character there makes some terminals wrap.
  if (line) terminal_.ShowProgressLine(FormatProgressLine(state, terminal_.width() - 1));
}

}  // namespace weightsmith::internal
