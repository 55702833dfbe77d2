// What `merge` and `bake` do.
#pragma once

#include "cli/flags/flags.h"
#include "cli/merge_request.h"
#include "cli/terminal.h"

namespace weightsmith::internal {

/// Runs the recipe, or the one that says what the command line does; shows the plan alone where
/// that is asked for.
int RunMerge(const ParsedArguments& arguments, Terminal& terminal, Everyday kind);

/// --dry-run and --json.
std::vector<Flag> DryRunFlags();

}  // namespace weightsmith::internal
