#include "cli/rewrite_command.h"

#include <fmt/format.h>

#include "cli/merge_request.h"
#include "cli/plan_command.h"
#include "cli/report_words.h"
#include "cli/run_progress.h"

namespace weightsmith {

void RunRewrite(const RewriteJob& job, const ParsedArguments& arguments, const std::string& verb,
                Terminal& terminal) {
  RunOptions options = ReadRunOptions(arguments);
  options.make_folders = options.make_folders || job.make_folder;
  const Plan plan = PlanOf(job);
  SayRemarks(plan, terminal);
  const Report report = RunWithProgress(plan, options, verb, terminal);
  terminal.Say(ThroughputWords(report));
  if (const auto path = arguments.Path("report")) WriteReport(*path, plan, report, options);
  for (const Rewrite& file : job.files) terminal.Print(fmt::format("{}\n", file.path.string()));
  WriteTexts(job, options.overwrite);
}

}  // namespace weightsmith
