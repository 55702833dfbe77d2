// Surveys: numbers of every tensor of a step, and what is learned of them, before the first tensor
// is computed.
#pragma once

#include <span>
#include <vector>

#include "merge/run/engine.h"

namespace weightsmith::internal {

struct SurveyedRange {
  double low = 0;
  double high = 0;
};

struct SurveyedTotals {
  double first = 0;
  double second = 0;
};

struct SurveyResult {
  double first = 0;  ///< the lower end of the range, or the first total
  double second = 0;
  std::vector<std::vector<double>> gathered;  ///< by task: numbers of its first passes
};

/// The range of what remains of `numbers` without NaN, without what is below the first percentile,
/// and then without what is above the 99th of the rest. A percentile between two numbers is in the
/// middle of them. NaN of no numbers.
SurveyedRange RangeOf(std::vector<double> numbers);

/// Of pairs, one behind the other, the sum of the first numbers and that of the second ones. Pairs
/// in which one is no number do not count; the order of pairs makes no difference.
SurveyedTotals TotalsOf(std::span<const double> pairs);

/// What the survey's tasks give, by an engine of its plan. `options` are those of the
/// computation that needs it; all tasks are in it whatever that computes.
SurveyResult Take(const Survey& survey, Engine& engine, const ComputeOptions& options);

}  // namespace weightsmith::internal
