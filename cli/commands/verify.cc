#include "recipes/jobs/verification_json.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/command.h"
#include "cli/merge_request.h"
#include "cli/run_progress.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/base/visible.h"

namespace weightsmith::internal {
namespace {

VerifyRequest RequestOf(const ParsedArguments& arguments) {
  VerifyRequest request;
  request.path = arguments.positionals().front();
  request.model_folders = ModelFolders(arguments);
  for (const auto& [name, path] : arguments.Assignments("model")) request.models[name] = path;
  request.recompute = !arguments.Has("no-recompute");
  return request;
}

int RunVerify(const ParsedArguments& arguments, Terminal& terminal) {
  const bool json = arguments.Has("json");
  JobProgress progress(terminal);
  Verification found;
  try {
    Verify(
        RequestOf(arguments), progress.Watching({}),
        [&](std::string_view phase) { progress.Begin(std::string(phase)); }, found);
  } catch (const Error& error) {
    if (json) terminal.PrintData(VerificationJson(found, &error));
    throw;
  }
  progress.End();
  if (json) {
    terminal.PrintData(VerificationJson(found));
    return found.problems.empty() ? 0 : static_cast<int>(ErrorCode::kVerification);
  }
  const std::string path = found.path.string();
  if (found.problems.empty()) {
    terminal.Print(fmt::format("{}: right ({}{})\n", Visible(path), fmt::join(found.checked, ", "),
                               found.recipe ? "" : "; no recipe is recorded"));
    return 0;
  }
  throw VerificationError(found);
}

}  // namespace

const Command& verify() {
  static const Command command = {
      .name = "verify",
      .summary = "Check that a model file is what it says it is",
      .group = CommandGroup::kInspect,
      .doc =
          "Checks the structure of a checkpoint and that all its values are finite. Of a file "
          "that weightsmith wrote it also compares the digest that is recorded, looks for the "
          "inputs by their digests, recomputes every tensor and compares (nothing is written). "
          "Inputs are looked for in `--models`, $WEIGHTSMITH_MODELS and the folder of the file. "
          "The status is 7 where something differs.",
      .positionals = {{.name = "FILE", .doc = "a checkpoint: a file, an index or a folder"}},
      .flags = {{.name = "models",
                 .kind = ValueKind::kFolder,
                 .value = "DIR",
                 .doc = "Look for inputs in this folder and all below it",
                 .repeatable = true},
                {.name = "model",
                 .kind = ValueKind::kAssignment,
                 .value = "NAME=PATH",
                 .doc = "Take this file for that input of the recipe",
                 .repeatable = true},
                {.name = "no-recompute", .doc = "Check the file alone, without its inputs"},
                {.name = "json", .doc = "Print JSON"}},
      .examples = {{"weightsmith verify mix.safetensors --models ~/models",
                    "Is this what its recipe makes of its inputs?"},
                   {"weightsmith verify download.safetensors", "Is this download whole?"}},
      .run = RunVerify,
  };
  return command;
}

}  // namespace weightsmith::internal
