#include "cli/rewrite_command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "cli/merge_flags.h"
#include "cli/merge_request.h"
#include "cli/plan_command.h"
#include "cli/render/checkpoint_info_words.h"
#include "cli/render/layout.h"
#include "cli/render/plan_words.h"
#include "cli/render/report_words.h"
#include "cli/run_progress.h"
#include "core/base/text.h"
#include "core/base/visible.h"
#include "merge/run/touched_paths.h"
#include "recipes/jobs/plan_json.h"
#include "recipes/jobs/report_json.h"
#include "recipes/show.h"

namespace weightsmith::internal {
namespace {

/// The files that are read and their sizes, the first few of many.
std::string InputWords(const Plan& plan) {
  constexpr std::size_t kNamed = 6;
  std::map<std::string, std::uint64_t> sizes;
  for (const auto& file : plan.files) sizes[file->path().string()] = file->size();
  std::vector<TableRow> rows;
  for (const auto& [path, size] : sizes) {
    if (rows.size() == kNamed) break;
    rows.push_back({Visible(path), FormatBytes(size)});
  }
  if (sizes.size() > kNamed) {
    rows.push_back({fmt::format("and {} more", sizes.size() - kNamed), ""});
  }
  return "Inputs:\n" + Table(rows, 60, kUnwrapped);
}

/// Of a file: "2.13 GB, 1,131 tensors, f16 1,130, i64 1; 1,130 converted".
std::string OutputWords(const Plan& plan, const Report& report, std::size_t i) {
  std::map<DType, std::uint64_t> dtypes;
  for (const auto& tensor : plan.output_files[i].layout.tensors) ++dtypes[tensor.info.dtype];
  const OutputReport& output = report.outputs[i];
  std::string words = fmt::format("{}, {}, {}", FormatBytes(output.bytes),
                                  Counted(output.tensors, "tensor"), DTypeWords(dtypes));
  if (output.tensors_copied < output.tensors) {
    words += fmt::format("; {} converted", FormatCount(output.tensors - output.tensors_copied));
  }
  if (output.sha256) words += fmt::format(", sha256 {}", *output.sha256);
  return words;
}

void SayWhatWasDone(const Plan& plan, const Report& report, Terminal& terminal) {
  std::vector<TableRow> rows;
  for (std::size_t i = 0; i < report.outputs.size(); ++i) {
    rows.push_back({Visible(report.outputs[i].path.string()), OutputWords(plan, report, i)});
  }
  terminal.SayText("Outputs:\n" + Table(rows, 60, kUnwrapped));
  const std::size_t texts = plan.outputs.front().texts.size();
  if (texts > 0) terminal.SayText(fmt::format("  and {}\n", Counted(texts, "configuration file")));
  SayNewRemarks(plan, report, terminal);
  terminal.Say(ThroughputWords(report));
}

/// What the run would do, and first what it would be refused for.
int ShowPlan(const RewriteJob& job, const Plan& plan, const ParsedArguments& arguments,
             const RunOptions& options, Terminal& terminal) {
  const int status = SayRefusal(plan, options, job.command, terminal);
  for (const std::string& note : job.notes) terminal.Note(note);
  SayRemarks(plan, terminal);
  if (arguments.Has("json")) {
    terminal.PrintData(PlanJson(plan, options));
  } else {
    terminal.Print(FullPlan(plan, options, terminal.verbose()));
  }
  return status;
}

}  // namespace

std::vector<Flag> RewriteFlags(ValueKind kind, std::string_view value, std::string_view doc,
                               std::string_view details) {
  std::vector<Flag> flags = RunFlags();
  flags.insert(flags.begin(), {.name = "output",
                               .letter = 'o',
                               .kind = kind,
                               .value = value,
                               .doc = doc,
                               .details = details,
                               .group = "Result"});
  flags.push_back({.name = "dry-run",
                   .letter = 'n',
                   .doc = "Print the plan; write nothing",
                   .group = "Running"});
  flags.push_back({.name = "json",
                   .doc = "Print the report as JSON instead of paths, with --dry-run the plan",
                   .group = "Running"});
  flags.push_back({.name = "print-recipe",
                   .doc = "Print the recipe of this run; write nothing",
                   .group = "Running"});
  return flags;
}

Flag ComponentsFlag() {
  return {.name = "components",
          .kind = ValueKind::kText,
          .value = "LIST",
          .doc = "Only these components, such as unet,vae; te: the text encoders",
          .details = "By the names that `info` shows.",
          .group = "Result"};
}

std::vector<std::string> ComponentWords(const ParsedArguments& arguments) {
  std::vector<std::string> words;
  const std::string text = arguments.Text("components").value_or("");
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    if (const std::string_view word = Trim(std::string_view(text).substr(at, end - at));
        !word.empty()) {
      words.emplace_back(word);
    }
    at = end + 1;
  }
  return words;
}

int RunRewrite(const RewriteJob& job, const ParsedArguments& arguments, const std::string& verb,
               Terminal& terminal) {
  if (arguments.Has("print-recipe")) {
    terminal.PrintData(ShowRecipe(job.recipe));
    return 0;
  }
  const RunOptions options = ReadRunOptions(arguments);
  const Plan plan = PlanOf(job);
  if (arguments.Has("dry-run")) return ShowPlan(job, plan, arguments, options, terminal);
  CheckPaths(plan, options);
  terminal.SayText(InputWords(plan));
  for (const std::string& note : job.notes) terminal.Note(note);
  SayRemarks(plan, terminal);
  const Report report = RunWithProgress(plan, options, verb, terminal);
  SayWhatWasDone(plan, report, terminal);
  if (options.report) WriteReport(*options.report, plan, report, options);
  const OutputPlan& output = plan.outputs.front();
  if (arguments.Has("json")) {
    terminal.PrintData(ReportJson(plan, report));
  } else if (!output.texts.empty()) {
    terminal.PrintValue(output.spec.path.string());
  } else {
    for (const OutputFilePlan& file : plan.output_files) terminal.PrintValue(file.path.string());
  }
  return 0;
}

}  // namespace weightsmith::internal
