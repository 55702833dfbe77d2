#include "core/formats/torch/scan.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/flags/option_words.h"
#include "core/base/error.h"
#include "core/base/visible.h"
#include "core/formats/torch/scan_path.h"
#include "recipes/jobs/scan_json.h"

namespace weightsmith::internal {
namespace {

std::string InWords(const ScannedFile& file) {
  const ScanResult& result = file.result;
  std::string words =
      fmt::format("{}: {} ({})\n", Visible(file.path), Verdict(result), result.format);
  for (const ScanResult::Global& global : result.globals) {
    if (global.safety == GlobalSafety::kSafe) continue;
    words +=
        fmt::format("  {} would be called: {}\n", Visible(global.name), ToString(global.safety));
  }
  for (const auto* problems : {&result.unusual, &result.ambiguities, &result.problems}) {
    for (const std::string& problem : *problems) words += fmt::format("  {}\n", Visible(problem));
  }
  return words;
}

int RunScan(const ParsedArguments& arguments, Terminal& terminal) {
  std::vector<ScannedFile> files;
  bool unsafe = false;
  bool unread = false;
  for (const std::string& path : arguments.positionals()) {
    try {
      for (ScannedFile& file : WithContext("scan", [&] { return ScanPath(path); })) {
        (file.result.missing ? unread : unsafe) |= !file.result.safe();
        if (!arguments.Has("json")) terminal.Print(InWords(file));
        files.push_back(std::move(file));
      }
    } catch (const Error& error) {
      // One file that cannot be read among many does not hide what the others are.
      if (error.code() != ErrorCode::kInput) throw;
      terminal.Fail(error.what(), AdviceOf(error));
      unread = true;
    }
  }
  if (arguments.Has("json")) terminal.PrintData(ScanJson(files));
  if (unsafe) return static_cast<int>(ErrorCode::kVerification);
  return unread ? static_cast<int>(ErrorCode::kInput) : 0;
}

}  // namespace

const Command& scan() {
  static const Command command = {
      .name = "scan",
      .summary = "Check whether .ckpt, .pt and .bin files are safe to load",
      .group = CommandGroup::kInspect,
      .doc =
          "A .ckpt, .pt or .bin file is a pickle, which may carry code that runs when Python "
          "loads it. This program never runs any; `scan` says what another one would do:\n\n"
          "safe: one reading for all known loaders, and nothing is imported or called but what "
          "makes tensors, containers, numbers and times.\n\n"
          "dangerous: it reaches what runs programs, opens files or changes code.\n\n"
          "unknown code: it imports or calls something of another package, which is listed.\n\n"
          "ambiguous: two loaders could see two files in it, or it is not as torch writes it: "
          "headers of a zip archive that disagree, names twice, bytes that belong to no file, a "
          "second pickle, a safetensors file that is also a pickle. `info`, `convert` and merges "
          "refuse it.\n\n"
          "malformed: neither this program nor a known loader reads it.\n\n"
          "The loaders that are modelled: torch.load of all versions (zip archives as its miniz "
          "reads them, the pickles of the older format, tar of the oldest), Python's zipfile, "
          "pickle of protocols 0 to 5, safetensors, and programs that go by the suffix.\n\n"
          "An index of shards is scanned with every shard that it names, a folder with every file "
          "in it that could be a model. Ends with status 7 when a file is not safe, else with 4 "
          "when one is missing or cannot be read.",
      .positionals = {{.name = "FILE",
                       .doc = "files of any kind, indexes of shards, folders",
                       .repeatable = true}},
      .flags = {{.name = "json", .doc = "Print JSON"}},
      .examples = {{"weightsmith scan downloads/*.ckpt", "May I give these to another program?"}},
      .run = RunScan,
  };
  return command;
}

}  // namespace weightsmith::internal
