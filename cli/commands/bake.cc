#include "cli/command.h"
#include "cli/merge_command.h"
#include "cli/merge_flags.h"

namespace weightsmith::internal {
namespace {

int RunBake(const ParsedArguments& arguments, Terminal& terminal) {
  return RunMerge(arguments, terminal, Everyday::kBake);
}

std::vector<Flag> FlagsOfBake() {
  std::vector<Flag> flags = LoraFlags();
  const auto taken = [](const Flag& flag) {
    return flag.name == "set" || flag.name == "step" || flag.name == "models";
  };
  flags.push_back({.name = "strict-components",
                   .doc = "Refuse modules for components that the model lacks",
                   .group = "Adapters"});
  for (const Flag& flag : RecipeFlags()) {
    if (!taken(flag)) flags.push_back(flag);
  }
  for (const Flag& flag : EverydayFlags()) {
    const bool shared = flag.name == "vae" || flag.name == "key" || flag.name == "print-recipe";
    if (shared) flags.push_back(flag);
  }
  for (const Flag& flag : RunFlags()) flags.push_back(flag);
  for (const Flag& flag : DryRunFlags()) flags.push_back(flag);
  for (Flag& flag : flags) {
    if (flag.group == "Recipe" || flag.group == "Models without a recipe") flag.group = "Output";
  }
  return flags;
}

}  // namespace

const Command& bake() {
  static const Command command = {
      .name = "bake",
      .summary = "Bake LoRAs, other adapters or a VAE into models",
      .group = CommandGroup::kMerge,
      .doc =
          "Adds adapters (LoRA, LoCon, LoHa, LoKr, DoRA, GLoRA, IA3, OFT, BOFT, whole "
          "differences, of any trainer) to a model and writes it: streamed, computed in f32 "
          "and rounded once. Every module of an adapter changes the tensor, or the rows of "
          "one, that it was made for. A module that fits no tensor is an error, and so is an "
          "adapter of another architecture. `--vae` replaces the VAE.\n\nSeveral models give "
          "several outputs. Without -o the output is named after the model and the adapters, "
          "such as `photo+0.60(detail).safetensors`. Standard error shows what each adapter "
          "changed and how much of the change rounding kept. `--dry-run` shows the plan "
          "without writing, with --verbose every module; `--report` writes the result of every "
          "module as JSON.",
      .positionals = {{.name = "MODEL", .doc = "one model or more", .repeatable = true}},
      .flags = FlagsOfBake(),
      .examples =
          {{"weightsmith bake photo.safetensors --lora detail.safetensors:0.6",
            "A LoRA with strength 0.6:"},
           {"weightsmith bake photo.safetensors --lora a.safetensors:0.8 --lora "
            "b.safetensors:0.4 -o out.safetensors",
            "Two LoRAs with different strengths:"},
           {"weightsmith bake photo.safetensors --lora a.safetensors:0.6:0.2",
            "Strength 0.6 in the UNet, 0.2 in the text encoders:"},
           {"weightsmith bake photo.safetensors --lora style.safetensors --lora-blocks OUTALL",
            "Only in the output blocks:"},
           {"weightsmith bake photo.safetensors --vae vae.safetensors", "Replace the VAE:"},
           {"weightsmith bake photo.safetensors --lora style.safetensors --dry-run --verbose",
            "Which module changes which tensor?"}},
      .run = RunBake,
  };
  return command;
}

}  // namespace weightsmith::internal
