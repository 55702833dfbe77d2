#include "cli/command.h"
#include "cli/merge_command.h"

namespace weightsmith {
namespace {

int Run(const ParsedArguments& arguments, Terminal& terminal) {
  return RunMerge(arguments, terminal, Everyday::kMerge);
}

std::vector<Flag> Flags() {
  std::vector<Flag> flags = MergeFlags();
  flags.push_back(DryRunFlag());
  return flags;
}

}  // namespace

const Command& merge() {
  static const Command command = {
      .name = "merge",
      .summary = "Merge models as a recipe says",
      .doc =
          "Reads a recipe, streams its inputs through its steps and writes the result: complete "
          "under its name or not at all. With models instead of a recipe it does the everyday "
          "merge: two models are blended (weighted_sum), three are an add_difference, A + "
          "alpha*(B - C), and the output is named after what it is, such as "
          "`0.70(a)+0.30(b).safetensors`.\n\n"
          "Standard error tells what goes in, the result as a sum of the inputs, progress, and "
          "what every input and step did. Standard output gets the path of the output as its last "
          "line.\n\n"
          "Ctrl-C stops within a second, a second one at once; the same command goes on from "
          "there and gives the same bytes. An input or step that should have an effect and has "
          "none "
          "is an error (status 8).",
      .positionals = MergePositionals(),
      .flags = Flags(),
      .examples =
          {{"weightsmith merge mix.yaml", "By a recipe:"},
           {"weightsmith merge mix.yaml --set w=0.4 -o mix-0.4.safetensors",
            "With another value of its variable w:"},
           {"weightsmith merge photo.safetensors anime.safetensors --alpha 0.3",
            "30 % of the second model, 70 % of the first:"},
           {"weightsmith merge a.safetensors b.safetensors base.safetensors --vae vae.safetensors",
            "What b learned over base, added to a, with another VAE:"},
           {"weightsmith merge a.safetensors b.safetensors --alpha '{default: 0.3, te: 0}'",
            "Leave the text encoder alone:"},
           {"weightsmith merge a.safetensors b.safetensors --lora detail.safetensors:0.6",
            "Merge two, and bake a LoRA into the result:"},
           {"weightsmith merge a.safetensors b.safetensors --print-recipe > mix.yaml",
            "Begin a recipe:"}},
      .run = Run,
  };
  return command;
}

}  // namespace weightsmith
