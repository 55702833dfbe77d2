#include "cli/merge_command.h"

#include <fmt/format.h>

#include <filesystem>

#include "cli/adapter_words.h"
#include "cli/plan_command.h"
#include "cli/plan_words.h"
#include "cli/report_words.h"
#include "cli/run_progress.h"
#include "core/error.h"
#include "core/text.h"

namespace weightsmith {
namespace {

// Said before an hour of merging, not after it.
void CheckReportPath(const std::filesystem::path& path, bool overwrite) {
  if (overwrite || !std::filesystem::exists(path)) return;
  throw Error(ErrorCode::kUsage, fmt::format("the report {} exists.", Quote(path.string())),
              "Choose another name, or overwrite it with --force.");
}

void SayReport(const Plan& plan, const Report& report, Terminal& terminal) {
  terminal.SayText(ReportWords(plan, report));
  for (const std::string& note : report.notes) terminal.Note(note);
  for (const std::string& warning : report.warnings) terminal.Warn(warning);
  terminal.Say(ThroughputWords(report));
}

int Merge(const ParsedArguments& arguments, Terminal& terminal, Everyday kind) {
  const RunOptions options = ReadRunOptions(arguments);
  const std::optional<std::filesystem::path> report_path = arguments.Path("report");
  if (report_path) CheckReportPath(*report_path, options.overwrite);

  const Plan plan = PlanOf(ReadRecipe(arguments, terminal, kind), terminal);
  terminal.SayText(ShortPlan(plan));
  SayRemarks(plan, terminal);
  // Below that the run itself is as quick as its sample.
  if (plan.bytes_to_read > 8 * kSampleBudget) SayWithoutEffect(plan, options, terminal);

  const Report report =
      RunWithProgress(plan, options, kind == Everyday::kBake ? "baking" : "merging", terminal);
  SayReport(plan, report, terminal);
  if (report_path) WriteReport(*report_path, plan, report, options);
  for (const OutputPlan& output : plan.outputs) {
    terminal.Print(fmt::format("{}\n", output.index.value_or(output.spec.path).string()));
  }
  return 0;
}

}  // namespace

int RunMerge(const ParsedArguments& arguments, Terminal& terminal, Everyday kind) {
  if (arguments.Has("dry-run") || arguments.Has("print-recipe")) {
    const bool bake = kind == Everyday::kBake;
    return ShowPlan(
        arguments, terminal,
        {.json = arguments.Knows("json") && arguments.Has("json"), .sample = !bake, .kind = kind});
  }
  return Merge(arguments, terminal, kind);
}

Flag DryRunFlag() {
  return {.name = "dry-run",
          .letter = 'n',
          .doc = "Print the plan, as the command plan does; write nothing",
          .group = "Running"};
}

}  // namespace weightsmith
