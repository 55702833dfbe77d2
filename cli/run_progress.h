// A run with its progress on the terminal, stoppable by Ctrl-C.
#pragma once

#include <filesystem>
#include <string>

#include "cli/terminal.h"
#include "merge/executor.h"
#include "merge/plan.h"

namespace weightsmith {

/// `verb` is what the run does: "merging".
Report RunWithProgress(const Plan& plan, RunOptions options, const std::string& verb,
                       Terminal& terminal);

/// Writes what every input, step and tensor did, as JSON.
void WriteReport(const std::filesystem::path& path, const Plan& plan, const Report& report,
                 const RunOptions& options);

}  // namespace weightsmith
