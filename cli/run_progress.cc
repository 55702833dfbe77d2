#include "cli/run_progress.h"

#include <span>
#include <utility>

#include "cli/interrupt.h"
#include "core/base/error.h"
#include "core/io/output_file.h"
#include "recipes/jobs/report_json.h"

namespace weightsmith::internal {

RunOptions JobProgress::Watching(RunOptions options) {
  options.cancel = &CatchInterrupts();
  options.progress = [this](const Progress& progress) {
    if (meter_) meter_->Update(progress.bytes_done, progress.bytes_total);
    return true;
  };
  options.note = [this](const std::string& line) { terminal_.Note(line); };
  return options;
}

void JobProgress::End() {
  if (meter_) meter_->Finish();
  meter_.reset();
}

Report RunWithProgress(const Plan& plan, const RunOptions& options, const std::string& verb,
                       Terminal& terminal) {
  JobProgress progress(terminal);
  progress.Begin(verb);
  try {
    Report report = Run(plan, progress.Watching(options));
    progress.End();
    return report;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInterrupted || !error.advice().empty()) throw;
    throw Error(error.code(), error.what(),
                options.digests ? "The partial output is kept; the same command resumes it."
                                : "Without digests nothing is kept; the same command starts again.",
                error.options());
  }
}

void WriteReport(const std::filesystem::path& path, const Plan& plan, const Report& report,
                 const RunOptions& options) {
  const std::string text = ReportJson(plan, report);
  WriteFile(
      path, std::as_bytes(std::span(text)),
      {.overwrite = options.overwrite, .make_folders = options.make_folders, .sync = options.sync});
}

}  // namespace weightsmith::internal
