#include <filesystem>

#include "cli/command.h"
#include "cli/flags/option_words.h"
#include "cli/merge_flags.h"
#include "cli/render/checkpoint_info_words.h"
#include "core/base/error.h"
#include "recipes/jobs/checkpoint_info_json.h"

namespace weightsmith::internal {
namespace {

void Print(const std::vector<CheckpointInfo>& infos, bool json, bool tensors, Terminal& terminal) {
  if (json) return terminal.PrintData(InfoJson(infos, tensors));
  if (!tensors) return terminal.Print(InfoLines(infos));
  for (const CheckpointInfo& info : infos) terminal.Print(InfoPage(info, tensors) + "\n");
}

int RunInfo(const ParsedArguments& arguments, Terminal& terminal) {
  const bool json = arguments.Has("json");
  const bool tensors = arguments.Has("tensors");
  const std::string key = arguments.Text("key").value_or("");
  const std::vector<std::string>& paths = arguments.positionals();
  if (paths.size() == 1) {
    const CheckpointInfo info = ReadInfo(paths.front(), key);
    if (json) {
      terminal.PrintData(InfoJson(info, tensors));
    } else {
      terminal.Print(InfoPage(info, tensors));
    }
    return 0;
  }
  std::vector<CheckpointInfo> infos;
  int status = 0;
  for (const std::string& path : paths) {
    try {
      infos.push_back(ReadInfo(path, key));
    } catch (const Error& error) {
      // One bad file among many does not hide what the others are.
      terminal.Fail(error.what(), AdviceOf(error));
      status = static_cast<int>(error.code());
    }
  }
  Print(infos, json, tensors, terminal);
  return status;
}

}  // namespace

const Command& info() {
  static const Command command = {
      .name = "info",
      .summary = "Say what a checkpoint is",
      .group = CommandGroup::kInspect,
      .doc =
          "From the header alone: architecture, variant, layout, components and whether they are "
          "complete, dtypes, how the model predicts, quantisation, damage, metadata; of a LoRA or "
          "another adapter, its families, naming, ranks and alphas, and the architecture it is "
          "for. One checkpoint is described in full, several with a line each.\n\n"
          "With `--json`, one object, or a list of them for several checkpoints. Its names do "
          "not change: format, architecture, variant, layout, components (by name: tensors, "
          "parameters, bytes, dtypes, complete, missing, extra), tensors, parameters, dtypes, "
          "markers, quantization, damage, metadata, adapter; path, files, bytes, scale, "
          "prediction. "
          "With "
          "`--tensors`, also entries: name, dtype, shape, component, canonical, role.",
      .positionals = {{.name = "FILE",
                       .doc = "a checkpoint, a folder of shards or its index",
                       .repeatable = true}},
      .flags = {{.name = "json", .doc = "Print JSON"},
                {.name = "tensors", .doc = "List every tensor"},
                KeyFlag("Options")},
      .examples = {{"weightsmith info model.safetensors", "What is this file?"},
                   {"weightsmith info models/*.safetensors", "A line each:"},
                   {"weightsmith info --json model.safetensors | jq .architecture",
                    "For a script:"}},
      .run = RunInfo,
  };
  return command;
}

}  // namespace weightsmith::internal
