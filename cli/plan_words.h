// A plan in words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "merge/executor.h"
#include "merge/plan.h"

namespace weightsmith {

/// "0.70·a + 0.30·b", "a + b - c", "0": models with a coefficient of 0 are left out.
std::string FormatCombination(const std::vector<double>& coefficients,
                              const std::vector<std::string>& names);

/// What one output is made of: one line where all components are alike, else a line for every
/// group of components that are.
std::vector<std::string> ResultLines(const Plan& plan, std::size_t output);

/// A line a part of every model: name, file, architecture, dtype, size.
std::vector<std::string> InputLines(const Plan& plan);

/// Inputs and result: what a run begins with.
std::string ShortPlan(const Plan& plan);

/// Everything: inputs and their keys, result, tasks, bytes to read and write, memory, disk.
std::string FullPlan(const Plan& plan, const RunOptions& options);

}  // namespace weightsmith
