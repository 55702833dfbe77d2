#include "cli/command.h"
#include "cli/merge_request.h"
#include "cli/plan_command.h"

namespace weightsmith {
namespace {

int Run(const ParsedArguments& arguments, Terminal& terminal) {
  return ShowPlan(arguments, terminal, {arguments.Has("json"), !arguments.Has("no-sample")});
}

std::vector<Flag> Flags() {
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
      .summary = "Say what a merge would do",
      .doc =
          "Takes what `merge` takes and prints, without writing anything: the result as a sum of "
          "its inputs, how the keys of the inputs match, the exact bytes that a run reads and "
          "writes, the memory and the disk that it needs. Reads headers, and a small sample of "
          "the tensors that tells whether the steps change anything.",
      .positionals = MergePositionals(),
      .flags = Flags(),
      .examples = {{"weightsmith plan mix.yaml", "What will this recipe do?"},
                   {"weightsmith plan mix.yaml --set w=0.4 --json", "The same for a program:"}},
      .run = Run,
  };
  return command;
}

}  // namespace weightsmith
