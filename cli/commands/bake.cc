#include "cli/command.h"
#include "cli/merge_command.h"

namespace weightsmith {
namespace {

int Run(const ParsedArguments& arguments, Terminal& terminal) {
  return RunMerge(arguments, terminal, Everyday::kBake);
}

std::vector<Flag> Flags() {
  std::vector<Flag> flags = LoraFlags();
  const auto taken = [](const Flag& flag) {
    return flag.name == "set" || flag.name == "output" || flag.name == "models";
  };
  flags.push_back({.name = "strict-components",
                   .doc = "Refuse modules for components that the model lacks",
                   .group = "Adapters"});
  for (const Flag& flag : RecipeFlags()) {
    if (!taken(flag)) flags.push_back(flag);
  }
  for (const Flag& flag : EverydayFlags()) {
    if (flag.name == "vae" || flag.name == "print-recipe") flags.push_back(flag);
  }
  for (const Flag& flag : RunFlags()) flags.push_back(flag);
  flags.push_back(DryRunFlag());
  flags.push_back(
      {.name = "json", .doc = "Print the plan of --dry-run as JSON", .group = "Running"});
  for (Flag& flag : flags) {
    if (flag.group == "Recipe" || flag.group == "Models without a recipe") flag.group = "Output";
  }
  return flags;
}

}  // namespace

const Command& bake() {
  static const Command command = {
      .name = "bake",
      .summary = "Bake LoRAs and other adapters into models",
      .doc =
          "Adds adapters (LoRA, LoCon, LoHa, LoKr, DoRA, GLoRA, IA3, OFT, BOFT, whole differences, "
          "by "
          "whatever trainer) to a model and writes it: streamed, computed in f32 and rounded once. "
          "Every module of an adapter goes to the tensor, or the rows of one, that it is for; a "
          "module that is for nothing is an error, and so is an adapter of another "
          "architecture.\n\n"
          "Several models give several outputs. Standard error tells for every adapter what it "
          "changed, and how much of that rounding kept; `--report` has it by module, `--dry-run` "
          "shows the whole table without reading a weight.",
      .positionals = {{.name = "MODEL", .doc = "one model or more", .repeatable = true}},
      .flags = Flags(),
      .examples =
          {{"weightsmith bake photo.safetensors --lora detail.safetensors:0.6",
            "With 60 % of its strength:"},
           {"weightsmith bake photo.safetensors --lora a.safetensors:0.6:0.2 --lora "
            "b.safetensors:0.4 -o out.safetensors",
            "Two, the first with less in the text encoders:"},
           {"weightsmith bake photo.safetensors --lora style.safetensors --lora-blocks OUTALL",
            "Only in the blocks on the way out:"},
           {"weightsmith bake photo.safetensors --lora style.safetensors --dry-run",
            "Which module goes where:"}},
      .run = Run,
  };
  return command;
}

}  // namespace weightsmith
