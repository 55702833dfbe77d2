#include "cli/command.h"
#include "cli/merge_flags.h"
#include "cli/merge_request.h"
#include "cli/plan_command.h"

namespace weightsmith::internal {
namespace {

int RunPlan(const ParsedArguments& arguments, Terminal& terminal) {
  return ShowPlan(arguments, terminal, {arguments.Has("json"), !arguments.Has("no-sample")});
}

std::vector<Flag> FlagsOfPlan() {
  std::vector<Flag> flags = MergeFlags();
  flags.push_back({.name = "json", .doc = "Print JSON", .group = "Plan"});
  flags.push_back({.name = "no-sample",
                   .doc = "Read headers alone, no sample of the tensors",
                   .group = "Plan"});
  return flags;
}

}  // namespace

const Command& plan() {
  static const Command command = {
      .name = "plan",
      .summary = "Show what a merge would do, without doing it",
      .group = CommandGroup::kMerge,
      .doc =
          "Takes the arguments of `merge` and prints what it would do: the result as a sum of "
          "its inputs, how the tensors of the inputs match, the exact bytes that a run reads "
          "and writes, the memory and disk space that it needs. Nothing is written. Headers "
          "are read, and a small sample of the tensors that shows whether the steps change "
          "anything, and what they do in their methods' own words: an angle, a kept share.",
      .positionals = MergePositionals(),
      .flags = FlagsOfPlan(),
      .examples = {{"weightsmith plan a.safetensors b.safetensors --alpha 0.3",
                    "What would this merge do?"},
                   {"weightsmith plan mix.yaml", "What would this recipe do?"},
                   {"weightsmith plan mix.yaml --set w=0.4 --json", "The same for a program:"}},
      .run = RunPlan,
  };
  return command;
}

}  // namespace weightsmith::internal
