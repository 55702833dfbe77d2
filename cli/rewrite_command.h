// What split, assemble and convert do with the files they make.
#pragma once

#include <string>

#include "cli/flags.h"
#include "cli/terminal.h"
#include "recipes/jobs/rewrite.h"

namespace weightsmith {

/// Writes all of them in one run, as the flags of RunFlags() say, and prints their paths.
void RunRewrite(const RewriteJob& job, const ParsedArguments& arguments, const std::string& verb,
                Terminal& terminal);

}  // namespace weightsmith
