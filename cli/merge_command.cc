#include "cli/merge_command.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>

#include "cli/plan_command.h"
#include "cli/render/adapter_words.h"
#include "cli/render/plan_words.h"
#include "cli/render/report_words.h"
#include "cli/run_progress.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "recipes/jobs/report_json.h"

namespace weightsmith::internal {
namespace {

void SayReport(const Plan& plan, const Report& report, Terminal& terminal) {
  terminal.SayText(ReportWords(plan, report));
  SayNewRemarks(plan, report, terminal);
  terminal.Say(ThroughputWords(report));
}

/// "2/3".
std::optional<RunPart> PartOf(const ParsedArguments& arguments) {
  const std::optional<std::string> text = arguments.Text("part");
  if (!text) return std::nullopt;
  RunPart part;
  const char* const end = text->data() + text->size();
  const auto number = std::from_chars(text->data(), end, part.number);
  const bool slash = number.ec == std::errc() && number.ptr != end && *number.ptr == '/';
  const auto count = slash ? std::from_chars(number.ptr + 1, end, part.count) : number;
  if (!slash || count.ec != std::errc() || count.ptr != end || part.number < 1 ||
      part.number > part.count) {
    throw Error(ErrorCode::kUsage,
                fmt::format("--part is {}, expected a part such as 2/3", Quote(*text)));
  }
  return part;
}

/// Of a part that did not end the run.
std::string PartWords(const RunPart& part, std::uint64_t left, std::size_t tensors) {
  if (left == 0) {
    return fmt::format("part {} of {} is done; another one ends the run", part.number, part.count);
  }
  return fmt::format("part {} of {} is done; {} of {} tensors are left to the others", part.number,
                     part.count, FormatCount(left), FormatCount(tensors));
}

int Merge(const ParsedArguments& arguments, Terminal& terminal, Everyday kind) {
  RunOptions options = ReadRunOptions(arguments);
  options.part = PartOf(arguments);
  const RecipeRequest request = ReadRecipe(arguments, terminal, kind);
  const Plan plan = PlanOf(request, terminal);
  if (options.part && !plan.tasks.empty() && TasksOf(plan, options.part).empty()) {
    terminal.Say(fmt::format("part {} of {} has nothing to do: there are {} tensors",
                             options.part->number, options.part->count,
                             FormatCount(plan.tasks.size())));
    return 0;
  }
  CheckPathsOf(request, plan, options, terminal);
  terminal.SayText(ShortPlan(plan));
  SayRemarks(plan, terminal);
  SayEqualComponents(request, plan, terminal);
  // Below that the run itself is as quick as its sample.
  if (plan.bytes_to_read > 8 * kSampleBudget) {
    SayWithoutEffect(
        plan, InRecipe(request, terminal, [&] { return Sample(plan, options, kSampleBudget); }),
        terminal);
  }

  const Report report = InRecipe(request, terminal, [&] {
    return RunWithProgress(plan, options, kind == Everyday::kBake ? "baking" : "merging", terminal);
  });
  if (report.tensors_left) {
    terminal.Say(PartWords(*options.part, *report.tensors_left, plan.tasks.size()));
    return 0;
  }
  SayReport(plan, report, terminal);
  if (options.report) WriteReport(*options.report, plan, report, options);
  if (arguments.Has("json")) {
    terminal.PrintData(ReportJson(plan, report));
    return 0;
  }
  for (const OutputPlan& output : plan.outputs) {
    terminal.PrintValue(output.index.value_or(output.spec.path).string());
  }
  return 0;
}

}  // namespace

int RunMerge(const ParsedArguments& arguments, Terminal& terminal, Everyday kind) {
  if (arguments.Has("dry-run") || arguments.Has("print-recipe")) {
    const bool bake = kind == Everyday::kBake;
    return ShowPlan(arguments, terminal,
                    {.json = arguments.Has("json"), .sample = !bake, .kind = kind});
  }
  return Merge(arguments, terminal, kind);
}

std::vector<Flag> DryRunFlags() {
  return {{.name = "dry-run",
           .letter = 'n',
           .doc = "Print the plan, as the command plan does; write nothing",
           .group = "Running"},
          {.name = "json",
           .doc = "Print the report as JSON, with --dry-run the plan",
           .group = "Running"},
          {.name = "part",
           .kind = ValueKind::kText,
           .value = "I/N",
           .doc = "Compute part I of N; the last of them to end finishes the output",
           .group = "Running",
           .hidden = true}};
}

}  // namespace weightsmith::internal
