// A plan in words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "merge/plan/plan.h"
#include "merge/run/executor.h"

namespace weightsmith::internal {

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

/// "(0.60 to 1.00)·a + (0 to 0.40)·b, by tensor": the least and the largest coefficient of each.
std::string FormatRanges(const std::vector<double>& lowest, const std::vector<double>& highest,
                         const std::vector<std::string>& names);

/// Everything: result, inputs and their keys, tasks, bytes to read and write, memory, disk; at the
/// end the adapters, with every module where `modules`.
std::string FullPlan(const Plan& plan, const RunOptions& options, bool modules = false);

}  // namespace weightsmith::internal
