#include "cli/run_progress.h"

#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/report_json.h"
#include "core/error.h"
#include "core/io/output_file.h"

namespace weightsmith {

Report RunWithProgress(const Plan& plan, RunOptions options, const std::string& verb,
                       Terminal& terminal) {
  ProgressMeter meter(terminal, verb);
  options.cancel = &CatchInterrupts();
  options.progress = [&](const Progress& progress) {
    meter.Update(progress.bytes_done, progress.bytes_total);
    return true;
  };
  options.note = [&](const std::string& line) { terminal.Note(line); };
  try {
    Report report = Run(plan, options);
    meter.Finish();
    return report;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInterrupted || !error.advice().empty()) throw;
    throw Error(error.code(), error.what(),
                "What is done stays beside the output; the same command goes on from there.");
  }
}

void WriteReport(const std::filesystem::path& path, const Plan& plan, const Report& report,
                 const RunOptions& options) {
  const std::string text = ToText(ToJson(plan, report));
  WriteFile(
      path, std::as_bytes(std::span(text)),
      {.overwrite = options.overwrite, .make_folders = options.make_folders, .sync = options.sync});
}

}  // namespace weightsmith
