#include "cli/rewrite_command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "cli/merge_request.h"
#include "cli/plan_command.h"
#include "cli/render/checkpoint_info_words.h"
#include "cli/render/layout.h"
#include "cli/render/report_words.h"
#include "cli/run_progress.h"
#include "core/base/text.h"
#include "core/base/visible.h"
#include "merge/run/touched_paths.h"
#include "recipes/jobs/report_json.h"

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

/// "2.13 GB, 1,131 tensors, f16 1,130, i64 1; 1,130 converted".
std::string OutputWords(const Plan& plan, const Report& report, std::size_t i) {
  std::map<DType, std::uint64_t> dtypes;
  for (const std::uint32_t file : plan.outputs[i].files) {
    for (const auto& tensor : plan.output_files[file].layout.tensors) ++dtypes[tensor.info.dtype];
  }
  const OutputReport& output = report.outputs[i];
  std::string words = fmt::format("{}, {}, {}", FormatBytes(output.bytes),
                                  Counted(output.tensors, "tensor"), DTypeWords(dtypes));
  if (output.tensors_copied < output.tensors) {
    words += fmt::format("; {} converted", FormatCount(output.tensors - output.tensors_copied));
  }
  if (output.sha256) words += fmt::format(", sha256 {}", *output.sha256);
  return words;
}

void SayWhatWasDone(const RewriteJob& job, const Plan& plan, const Report& report,
                    Terminal& terminal) {
  std::vector<TableRow> rows;
  for (std::size_t i = 0; i < report.outputs.size(); ++i) {
    rows.push_back({Visible(report.outputs[i].path.string()), OutputWords(plan, report, i)});
  }
  terminal.SayText("Outputs:\n" + Table(rows, 60, kUnwrapped));
  if (!job.texts.empty()) {
    terminal.SayText(fmt::format("  and {}\n", Counted(job.texts.size(), "configuration file")));
  }
  SayNewRemarks(plan, report, terminal);
  terminal.Say(ThroughputWords(report));
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
  flags.push_back(
      {.name = "json", .doc = "Print the report as JSON instead of paths", .group = "Running"});
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

void RunRewrite(const RewriteJob& job, const ParsedArguments& arguments, const std::string& verb,
                Terminal& terminal) {
  RunOptions options = ReadRunOptions(arguments);
  if (job.make_folder) {
    ExpectFolderAbove(job.folder, options);
    options.make_folders = true;
  }
  const Plan plan = PlanOf(job);
  CheckPaths(plan, options);
  terminal.SayText(InputWords(plan));
  for (const std::string& note : job.notes) terminal.Note(note);
  SayRemarks(plan, terminal);
  const Report report = RunWithProgress(plan, options, verb, terminal);
  SayWhatWasDone(job, plan, report, terminal);
  if (options.report) WriteReport(*options.report, plan, report, options);
  if (arguments.Has("json")) {
    terminal.PrintData(ReportJson(plan, report));
  } else if (!job.texts.empty()) {
    terminal.PrintValue(job.folder.string());
  } else {
    for (const Rewrite& file : job.files) terminal.PrintValue(file.path.string());
  }
}

}  // namespace weightsmith::internal
