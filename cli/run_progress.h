// A job with its progress on the terminal, stoppable by Ctrl-C.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "cli/progress.h"
#include "cli/terminal.h"
#include "merge/plan/plan.h"
#include "merge/run/executor.h"

namespace weightsmith::internal {

/// The progress of a job that has phases, one after another.
class JobProgress {
 public:
  explicit JobProgress(Terminal& terminal) : terminal_(terminal) {}

  /// The same options, told to this and stopped by Ctrl-C. REQUIRES: this outlives the job.
  RunOptions Watching(RunOptions options);
  /// What begins: "reading".
  void Begin(const std::string& phase) { meter_.emplace(terminal_, phase); }
  /// All is done.
  void End();

 private:
  Terminal& terminal_;
  std::optional<ProgressMeter> meter_;
};

/// Runs the plan; `verb` is what that does: "merging".
Report RunWithProgress(const Plan& plan, const RunOptions& options, const std::string& verb,
                       Terminal& terminal);

/// Writes what every input, step and tensor did, as JSON.
void WriteReport(const std::filesystem::path& path, const Plan& plan, const Report& report,
                 const RunOptions& options);

}  // namespace weightsmith::internal
