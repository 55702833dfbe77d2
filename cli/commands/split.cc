#include <fmt/format.h>

#include <filesystem>

#include "cli/command.h"
#include "cli/merge_request.h"
#include "cli/rewrite.h"
#include "core/anatomy/canonical_view.h"
#include "core/anatomy/component_views.h"
#include "core/error.h"
#include "core/text.h"

namespace weightsmith {
namespace {

int Run(const ParsedArguments& arguments, Terminal& terminal) {
  const std::string& path = arguments.positionals().front();
  const std::filesystem::path folder = arguments.Path("out").value_or(".");
  const auto checkpoint = WithContext("split", [&] { return OpenCanonical(path); });
  const Anatomy anatomy = Examine(*checkpoint);
  if (anatomy.architecture == nullptr) {
    throw Error(ErrorCode::kMismatch,
                fmt::format("split: {} has no components that are known", Quote(path)),
                "'weightsmith info' says what it is.");
  }
  std::vector<Rewrite> rewrites;
  for (ComponentView& view : ComponentViews(*checkpoint, anatomy)) {
    const std::filesystem::path file = folder / (view.name + ".safetensors");
    rewrites.push_back({.name = view.name,
                        .checkpoint = std::move(view.checkpoint),
                        .path = file,
                        .folder = true});
  }
  RunRewrites(rewrites, arguments, "splitting", terminal);
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
