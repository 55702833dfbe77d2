#include "recipes/jobs/split.h"

#include "cli/command.h"
#include "cli/merge_request.h"
#include "cli/rewrite_command.h"

namespace weightsmith {
namespace {

int Run(const ParsedArguments& arguments, Terminal& terminal) {
  const RewriteJob job =
      SplitJob(arguments.positionals().front(), arguments.Path("out").value_or("."));
  RunRewrite(job, arguments, "splitting", terminal);
  return 0;
}

std::vector<Flag> Flags() {
  std::vector<Flag> flags = RunFlags();
  flags.push_back({.name = "out",
                   .letter = 'o',
                   .kind = ValueKind::kFolder,
                   .value = "DIR",
                   .doc = "Write the components into this folder, which is made",
                   .group = "Running"});
  return flags;
}

}  // namespace

const Command& split() {
  static const Command command = {
      .name = "split",
      .summary = "Write each component of a checkpoint to a file of its own",
      .doc =
          "UNet or transformer, text encoders and VAE go to files named as `info` names the "
          "components (unet.safetensors, clip_l.safetensors, vae.safetensors), in the form in "
          "which loaders take them: names from the root, OpenCLIP's text encoders in Hugging "
          "Face's naming. What belongs to no component goes to other.safetensors, EMA copies to "
          "ema.safetensors. `assemble` puts the parts together again, bit for bit.",
      .positionals = {{.name = "FILE", .doc = "a checkpoint, or a folder of diffusers"}},
      .flags = Flags(),
      .examples = {{"weightsmith split model.safetensors -o parts", "Take a model apart:"}},
      .run = Run,
  };
  return command;
}

}  // namespace weightsmith
