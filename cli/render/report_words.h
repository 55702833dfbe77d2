// The proof of effect in words: what every input and step did.
#pragma once

#include <cstdint>
#include <string>

#include "merge/plan/plan.h"
#include "merge/run/report.h"

namespace weightsmith::internal {

/// Share of elements that a step changed, in percent, and the norm of the change relative to what
/// it changed: "98.7 % of elements changed, relative change 0.0123".
std::string FormatEffect(const Effect& effect);

/// "98.7 %"; what is not all is not 100 %, and what is not nothing not 0 %.
std::string Percent(std::uint64_t part, std::uint64_t whole);

/// Inputs, steps and outputs.
std::string ReportWords(const Plan& plan, const Report& report);

/// What steps did in a sample, in their methods' own words; empty where none says something.
std::string SampleWords(const Report& sample);

/// "read 4.26 GB, wrote 2.13 GB in 1.23 s, 1.73 GB/s of output".
std::string ThroughputWords(const Report& report);

}  // namespace weightsmith::internal
