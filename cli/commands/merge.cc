#include <fmt/format.h>

#include <filesystem>

#include "cli/command.h"
#include "cli/merge_request.h"
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
  terminal.Say(ThroughputWords(report));
}

int Merge(const ParsedArguments& arguments, Terminal& terminal) {
  const RunOptions options = ReadRunOptions(arguments);
  const std::optional<std::filesystem::path> report_path = arguments.Path("report");
  if (report_path) CheckReportPath(*report_path, options.overwrite);

  const Plan plan = PlanOf(ReadRecipe(arguments, terminal), terminal);
  terminal.SayText(ShortPlan(plan));
  SayRemarks(plan, terminal);
  // Below that the run itself is as quick as its sample.
  if (plan.bytes_to_read > 8 * kSampleBudget) SayWithoutEffect(plan, options, terminal);

  const Report report = RunWithProgress(plan, options, "merging", terminal);
  SayReport(plan, report, terminal);
  if (report_path) WriteReport(*report_path, plan, report, options);
  for (const OutputPlan& output : plan.outputs) {
    terminal.Print(fmt::format("{}\n", output.index.value_or(output.spec.path).string()));
  }
  return 0;
}

int RunMerge(const ParsedArguments& arguments, Terminal& terminal) {
  if (arguments.Has("dry-run") || arguments.Has("print-recipe")) {
    return ShowPlan(arguments, terminal, {});
  }
  return Merge(arguments, terminal);
}

std::vector<Flag> Flags() {
  std::vector<Flag> flags = MergeFlags();
  flags.push_back({.name = "dry-run",
                   .letter = 'n',
                   .doc = "Print the plan, as the command plan does; write nothing",
                   .group = "Running"});
  return flags;
}

}  // namespace

const Command& merge() {
  static const Command command = {
      .name = "merge",
      .summary = "Merge models as a recipe says",
      .doc =
          "Reads a recipe, streams its inputs through its steps and writes the result: complete "
          "under its name or not at all. With models instead of a recipe it does the everyday "
          "merge: two models are blended (weighted_sum), three are an add_difference, A + "
          "alpha*(B - C), and the output is named after what it is, such as "
          "`0.70(a)+0.30(b).safetensors`.\n\n"
          "Standard error tells what goes in, the result as a sum of the inputs, progress, and "
          "what every input and step did. Standard output gets the path of the output as its last "
          "line.\n\n"
          "Ctrl-C stops within a second, a second one at once; the same command goes on from "
          "there and gives the same bytes. An input or step that should have an effect and has "
          "none "
          "is an error (status 8).",
      .positionals = MergePositionals(),
      .flags = Flags(),
      .examples =
          {{"weightsmith merge mix.yaml", "By a recipe:"},
           {"weightsmith merge mix.yaml --set w=0.4 -o mix-0.4.safetensors",
            "With another value of its variable w:"},
           {"weightsmith merge photo.safetensors anime.safetensors --alpha 0.3",
            "30 % of the second model, 70 % of the first:"},
           {"weightsmith merge a.safetensors b.safetensors base.safetensors --vae vae.safetensors",
            "What b learned over base, added to a, with another VAE:"},
           {"weightsmith merge a.safetensors b.safetensors --alpha '{default: 0.3, te: 0}'",
            "Leave the text encoder alone:"},
           {"weightsmith merge a.safetensors b.safetensors --print-recipe > mix.yaml",
            "Begin a recipe:"}},
      .run = RunMerge,
  };
  return command;
}

}  // namespace weightsmith
