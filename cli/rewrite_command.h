// What split, assemble and convert do with the files they make.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/flags/flags.h"
#include "cli/terminal.h"
#include "recipes/jobs/rewrite.h"

namespace weightsmith::internal {

/// The flags of RunFlags(), --json, --dry-run, --print-recipe and --output, which is a `value`
/// ("FILE") and does `doc`.
std::vector<Flag> RewriteFlags(ValueKind kind, std::string_view value, std::string_view doc,
                               std::string_view details);

/// --components, and the words of its list.
Flag ComponentsFlag();
std::vector<std::string> ComponentWords(const ParsedArguments& arguments);

/// Writes all files in one run, as the flags say, reports what was done, and prints the paths: of a
/// pipeline its folder. With --dry-run the plan, with --print-recipe the recipe is printed, and
/// nothing is written. Returns the exit status.
int RunRewrite(const RewriteJob& job, const ParsedArguments& arguments, const std::string& verb,
               Terminal& terminal);

}  // namespace weightsmith::internal
