// What `plan` and `merge --dry-run` do.
#pragma once

#include <string_view>

#include "cli/flags/flags.h"
#include "cli/merge_request.h"
#include "cli/terminal.h"
#include "merge/plan/plan.h"
#include "merge/run/executor.h"
#include "merge/run/report.h"

namespace weightsmith::internal {

/// Bytes that a sample may read.
inline constexpr std::uint64_t kSampleBudget = std::uint64_t{64} << 20;

struct PlanView {
  bool json = false;
  bool sample = true;
  Everyday kind = Everyday::kMerge;
};

/// What a run would be refused for, before anything is written. Returns the status that it would
/// end with; 0 where it would run.
int SayRefusal(const Plan& plan, const RunOptions& options, std::string_view what,
               Terminal& terminal);

/// Prints the plan to standard output, notes and warnings to standard error.
int ShowPlan(const ParsedArguments& arguments, Terminal& terminal, const PlanView& view);

/// Says what a sample of the tensors tells about steps without effect.
void SayWithoutEffect(const Plan& plan, const Report& sample, Terminal& terminal);

/// Says which steps a sample does not judge: it has none of their tensors.
void SayUnjudged(const Report& sample, Terminal& terminal);

/// Warns of components that an output takes from another model and that it would have anyway.
void SayEqualComponents(const RecipeRequest& request, const Plan& plan, Terminal& terminal);

/// Notes and warnings of the plan.
void SayRemarks(const Plan& plan, Terminal& terminal);

/// Notes and warnings of a run that its plan did not have.
void SayNewRemarks(const Plan& plan, const Report& report, Terminal& terminal);

}  // namespace weightsmith::internal
