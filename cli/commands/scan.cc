#include "core/torch/scan.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "cli/command.h"
#include "core/error.h"
#include "core/visible.h"
#include "recipes/jobs/scan_json.h"

namespace weightsmith {
namespace {

std::string InWords(const std::string& path, const ScanResult& result) {
  std::string words = fmt::format("{}: {} ({})\n", Visible(path), Verdict(result), result.format);
  for (const std::string& problem : result.problems)
    words += fmt::format("  {}\n", Visible(problem));
  for (const ScanResult::Global& global : result.globals) {
    if (global.safety == GlobalSafety::kSafe) continue;
    words +=
        fmt::format("  {} would be called: {}\n", Visible(global.name), ToString(global.safety));
  }
  return words;
}

int Run(const ParsedArguments& arguments, Terminal& terminal) {
  std::vector<ScannedFile> files;
  bool safe = true;
  for (const std::string& path : arguments.positionals()) {
    ScanResult result = WithContext("scan", [&] { return ScanFile(path); });
    safe = safe && result.safe();
    if (!arguments.Has("json")) terminal.Print(InWords(path, result));
    files.push_back({path, std::move(result)});
  }
  if (arguments.Has("json")) terminal.PrintData(ScanJson(files));
  return safe ? 0 : static_cast<int>(ErrorCode::kVerification);
}

}  // namespace

const Command& scan() {
  static const Command command = {
      .name = "scan",
      .summary = "Check whether .ckpt, .pt and .bin files are safe to load",
      .group = CommandGroup::kInspect,
      .doc =
          "A .ckpt, .pt or .bin file is a pickle, which may carry code that runs when Python "
          "loads it. This program never runs any; `scan` lists what would be called elsewhere, "
          "and what is wrong with the file's structure: headers that contradict each other, "
          "overlaps, pickles behind pickles. A file is safe when it is well-formed and names "
          "nothing but what makes tensors and containers.\n\n"
          "Ends with status 7 when a file is not safe.",
      .positionals = {{.name = "FILE", .doc = "files of any kind", .repeatable = true}},
      .flags = {{.name = "json", .doc = "Print JSON"}},
      .examples = {{"weightsmith scan downloads/*.ckpt", "May I give these to another program?"}},
      .run = Run,
  };
  return command;
}

}  // namespace weightsmith
