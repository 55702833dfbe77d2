#include "cli/command.h"
#include "cli/merge_command.h"
#include "cli/merge_flags.h"

namespace weightsmith::internal {
namespace {

int RunMerge(const ParsedArguments& arguments, Terminal& terminal) {
  return RunMerge(arguments, terminal, Everyday::kMerge);
}

std::vector<Flag> FlagsOfMerge() {
  std::vector<Flag> flags = MergeFlags();
  for (const Flag& flag : DryRunFlags()) flags.push_back(flag);
  return flags;
}

}  // namespace

const Command& merge() {
  static const Command command = {
      .name = "merge",
      .summary = "Merge models, on the command line or by a recipe",
      .group = CommandGroup::kMerge,
      .doc =
          "Two models are blended: `--alpha 0.3` takes 30 % of the second one and 70 % of the "
          "first. Of three models, the difference of the last two is added to the first: A + "
          "alpha*(B - C). `--op` chooses another operator of `weightsmith ops`, with "
          "`--base`, `--weights`, `--density` and `--param` for what it takes; `--mbw` gives every "
          "block its own "
          "weight, `--vae` takes the VAE from another file, `--lora` bakes adapters into the "
          "result; both also change one model alone, as `bake` does. A recipe file describes more: "
          "steps in a row, several outputs, weights by "
          "place.\n\nWithout -o the output is named after the merge, such as "
          "`0.70(a)+0.30(b).safetensors`, and goes into the working directory. It appears "
          "complete or not at all. Standard error shows the inputs and how many of their tensors "
          "are used, the result as a sum of them, progress, and what every step changed; "
          "`--report` writes more. The last line of standard output is the path of the "
          "output.\n\nCtrl-C stops within a second, a second Ctrl-C "
          "at once; the same command continues from there and writes the same bytes. An input "
          "or a step that should change the result and does not is an error (status 8); a VAE "
          "that equals the one that it replaces is a warning.",
      .positionals = MergePositionals(),
      .flags = FlagsOfMerge(),
      .examples = {{"weightsmith merge a.safetensors b.safetensors --alpha 0.3",
                    "70 % of a and 30 % of b:"},
                   {"weightsmith merge a.safetensors b.safetensors base.safetensors --alpha 0.8",
                    "Add what b has learned over base to a (add difference):"},
                   {"weightsmith merge a.safetensors b.safetensors --mbw GRAD_V",
                    "A weight for every block, by a preset or a list of numbers:"},
                   {"weightsmith merge a.safetensors b.safetensors --op ties --base d.safetensors "
                    "--weights 0.6,0.4 --density 0.3",
                    "What two fine-tunes of d agree on:"},
                   {"weightsmith merge a.safetensors --vae vae.safetensors", "Replace the VAE:"},
                   {"weightsmith merge a.safetensors b.safetensors --alpha '{default: 0.3, te: 0}'",
                    "Leave the text encoder alone:"},
                   {"weightsmith merge a.safetensors b.safetensors --lora detail.safetensors:0.6",
                    "Merge two, and bake a LoRA into the result:"},
                   {"weightsmith merge a.safetensors b.safetensors --dry-run", "What would it do?"},
                   {"weightsmith merge a.safetensors b.safetensors --print-recipe > mix.yaml",
                    "Start a recipe:"},
                   {"weightsmith merge mix.yaml --set w=0.4 -o mix-0.4.safetensors",
                    "Run a recipe, with another value of its variable w:"}},
      .run = RunMerge,
  };
  return command;
}

}  // namespace weightsmith::internal
