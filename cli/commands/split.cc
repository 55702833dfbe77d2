#include "recipes/jobs/split.h"

#include "cli/command.h"
#include "cli/default_names.h"
#include "cli/merge_request.h"
#include "cli/rewrite_command.h"

namespace weightsmith::internal {
namespace {

int RunSplit(const ParsedArguments& arguments, Terminal& terminal) {
  const std::filesystem::path model = arguments.positionals().front();
  const RewriteJob job = SplitJob(model, arguments.Path("output").value_or(PartsName(model)),
                                  ComponentWords(arguments));
  return RunRewrite(job, arguments, "splitting", terminal);
}

std::vector<Flag> FlagsOfSplit() {
  std::vector<Flag> flags = RewriteFlags(
      ValueKind::kFolder, "DIR", "Write the components into this folder, which is made",
      "Without it, `model-parts` of model.safetensors, in the working directory.");
  flags.push_back(ComponentsFlag());
  return flags;
}

}  // namespace

const Command& split() {
  static const Command command = {
      .name = "split",
      .summary = "Extract the components of a model: UNet, text encoders, VAE",
      .group = CommandGroup::kConvert,
      .doc =
          "Writes each component to a file with the name that `info` shows (unet.safetensors, "
          "clip_l.safetensors, vae.safetensors) and in the form that loaders take: tensor "
          "names without a prefix, OpenCLIP text encoders in Hugging Face's naming. Tensors of "
          "no component go to other.safetensors, EMA copies to ema.safetensors. `assemble` "
          "joins the parts again, bit for bit.",
      .positionals = {{.name = "FILE", .doc = "a checkpoint, or a folder of diffusers"}},
      .flags = FlagsOfSplit(),
      .examples = {{"weightsmith split model.safetensors -o parts", "All components:"},
                   {"weightsmith split model.safetensors --components te",
                    "The text encoders alone:"}},
      .run = RunSplit,
  };
  return command;
}

}  // namespace weightsmith::internal
