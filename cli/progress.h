// Progress of a long command: bytes, GB/s and the time that is left.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "cli/terminal.h"

namespace weightsmith::internal {

struct ProgressState {
  std::string_view label;  ///< "merging"
  std::uint64_t done = 0;  ///< bytes
  std::uint64_t total = 0;
  double seconds = 0;             ///< since the start
  std::uint64_t done_before = 0;  ///< of done, what an earlier run had done
};

/// "0:07", "12:34", "1:02:03"; rounded up, so that it ends at 0:00 and not before.
std::string FormatDuration(double seconds);

/// "3.42 GB/s"; "0.00 GB/s" where no time passed.
std::string FormatRate(std::uint64_t bytes, double seconds);

/// Seconds that remain at the mean rate so far; nothing before there is one.
std::optional<double> EstimateRemaining(const ProgressState& state);

/// "merging  [####----]  52 %  1.11 of 2.13 GB  3.42 GB/s  0:01 left", at most `width` columns:
/// the bar goes first, then the label.
std::string FormatProgressLine(const ProgressState& state, std::size_t width);

/// {"event":"progress","phase":"merging","bytes_done":…,"bytes_total":…,"seconds":…,
/// "bytes_per_second":…,"eta_seconds":…}; eta_seconds is null before there is a rate.
std::string FormatProgressJson(const ProgressState& state);

/// Shows progress on a terminal, at most ten times a second; any thread.
class ProgressMeter {
 public:
  ProgressMeter(Terminal& terminal, std::string label);
  /// Removes the line.
  ~ProgressMeter();
  ProgressMeter(const ProgressMeter&) = delete;
  ProgressMeter& operator=(const ProgressMeter&) = delete;

  void Update(std::uint64_t done, std::uint64_t total);
  /// Tells that all is done.
  void Finish();
  /// Since the start.
  double seconds() const;

 private:
  using Clock = std::chrono::steady_clock;

  Terminal& terminal_;
  const std::string label_;
  const Clock::time_point start_ = Clock::now();
  std::mutex mutex_;  ///< of what follows
  std::optional<Clock::time_point> last_shown_;
  std::optional<std::uint64_t> done_before_;
  std::uint64_t total_ = 0;
};

}  // namespace weightsmith::internal
