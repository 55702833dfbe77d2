#include "merge/run/survey.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <span>
#include <utility>

namespace weightsmith::internal {
namespace {

constexpr double kTrimmed = 0.01;

/// The number at a place in the order of all; numbers are moved.
double Ranked(std::span<double> numbers, double place) {
  const auto at = numbers.begin() + static_cast<std::ptrdiff_t>(place);
  std::ranges::nth_element(numbers, at);
  return *at;
}

double Percentile(std::span<double> numbers, double share) {
  const double place = share * static_cast<double>(numbers.size() - 1);
  const double below = Ranked(numbers, std::floor(place));
  const double above = Ranked(numbers, std::ceil(place));
  return (below + above) / 2;
}

/// In the order of the tasks, whatever the order in which they are computed.
class NumbersSink final : public Sink {
 public:
  explicit NumbersSink(std::size_t tasks) : gathered(tasks) {}

  void Take(std::uint32_t task, TaskResult&& result) override {
    numbers.insert(numbers.end(), result.numbers.begin(), result.numbers.end());
    gathered[task] = std::move(result.gathered);
  }

  std::vector<double> numbers;
  std::vector<std::vector<double>> gathered;
};

}  // namespace

SurveyedRange RangeOf(std::vector<double> numbers) {
  std::erase_if(numbers, [](double number) { return std::isnan(number); });
  if (numbers.empty()) {
    return {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::quiet_NaN()};
  }
  // Without sorting: every other thread waits for this.
  const double least = Percentile(numbers, kTrimmed);
  // The range that std::ranges::partition gives is more than clang 14 compiles.
  const std::span<double> rest(
      std::partition(numbers.begin(), numbers.end(), [&](double x) { return x < least; }),
      numbers.end());
  const double low = *std::ranges::min_element(rest);
  const double most = Percentile(rest, 1 - kTrimmed);
  double high = low;
  for (const double number : rest) {
    if (!(most < number)) high = std::max(high, number);
  }
  return {low, high};
}

SurveyedTotals TotalsOf(std::span<const double> pairs) {
  std::vector<double> first;
  std::vector<double> second;
  for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) {
    if (std::isnan(pairs[i]) || std::isnan(pairs[i + 1])) continue;
    first.push_back(pairs[i]);
    second.push_back(pairs[i + 1]);
  }
  std::ranges::sort(first);
  std::ranges::sort(second);
  return {std::accumulate(first.begin(), first.end(), 0.0),
          std::accumulate(second.begin(), second.end(), 0.0)};
}

SurveyResult Take(const Survey& survey, Engine& engine, const ComputeOptions& options) {
  std::vector<std::uint32_t> tasks(survey.plan->tasks.size());
  std::iota(tasks.begin(), tasks.end(), 0);
  NumbersSink sink(tasks.size());
  ComputeOptions own{.threads = options.threads,
                     .digests = false,
                     .effects = false,
                     .cancel = options.cancel,
                     .doing = options.doing};
  if (options.progress) {
    own.progress = [&](const Progress& progress) {
      Progress shown;
      shown.bytes_done = options.bytes_done;
      shown.elapsed = progress.elapsed;
      return options.progress(shown);
    };
  }
  engine.Compute(WholeTasks(tasks), sink, own);
  engine.ExpectInputsUnchanged();
  if (survey.totals) {
    const SurveyedTotals totals = TotalsOf(sink.numbers);
    return {totals.first, totals.second, std::move(sink.gathered)};
  }
  const SurveyedRange range = RangeOf(std::move(sink.numbers));
  return {range.low, range.high, std::move(sink.gathered)};
}

}  // namespace weightsmith::internal
