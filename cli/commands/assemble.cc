#include "recipes/jobs/assemble.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <utility>

#include "cli/command.h"
#include "cli/default_names.h"
#include "cli/merge_request.h"
#include "cli/rewrite_command.h"
#include "core/base/error.h"
#include "core/model/architecture_names.h"

namespace weightsmith::internal {
namespace {

/// Of every part its flag: "clip-l" of clip_l.
const std::map<std::string_view, std::string>& FlagsOfParts() {
  static const auto flags = [] {
    std::map<std::string_view, std::string> made;
    for (const std::string_view part : PartNames()) {
      std::string flag(part);
      std::ranges::replace(flag, '_', '-');
      made.emplace(part, std::move(flag));
    }
    for (const std::string_view part : LoosePartNames()) made.emplace(part, part);
    return made;
  }();
  return flags;
}

/// What a part is, for the help.
struct PartWords {
  std::string_view part;
  std::string_view doc;
};

constexpr PartWords kPartWords[] = {
    {"unet", "The UNet of Stable Diffusion"},
    {"transformer", "The transformer that draws: of FLUX.1, SD 3 and others"},
    {"clip_l", "The text encoder CLIP-L"},
    {"clip_g", "The text encoder OpenCLIP bigG, of SDXL and SD 3"},
    {"clip_h", "The text encoder OpenCLIP H, of SD 2"},
    {"t5xxl", "The text encoder T5-XXL, of FLUX.1 and SD 3"},
    {"vae", "The VAE"},
    {"te1", "The architecture's first text encoder, whichever it is"},
    {"te2", "Its second text encoder"},
    {"te3", "Its third text encoder"},
    {"other", "Tensors of no component, as split writes them"},
    {"ema", "EMA copies of the weights, as split writes them"},
};

std::string_view DocOf(std::string_view part) {
  return std::ranges::find(kPartWords, part, &PartWords::part)->doc;
}

int RunAssemble(const ParsedArguments& arguments, Terminal& terminal) {
  const auto like = arguments.Text("like");
  const auto output = arguments.Path("output");
  if (!like) {
    throw Error(ErrorCode::kUsage, "assemble: --like is missing.",
                "Name the architecture: --like sd1, sdxl, flux1 …");
  }
  std::map<std::string, std::filesystem::path> parts;
  for (const auto& [part, flag] : FlagsOfParts()) {
    if (const auto path = arguments.Path(FlagName::OfPart(flag))) parts[std::string(part)] = *path;
  }
  const Architecture* architecture = ArchitectureOf(*like);
  const std::string id(architecture != nullptr ? architecture->id : *like);
  return RunRewrite(AssembleJob(*like, parts, output.value_or(AssembledName(id))), arguments,
                    "assembling", terminal);
}

std::vector<Flag> FlagsOfAssemble() {
  std::vector<Flag> flags = RewriteFlags(
      ValueKind::kFile, "FILE", "Write to this file",
      "Without it, `sdxl-assembled.safetensors` of --like sdxl, in the working directory.");
  flags.push_back({.name = "like",
                   .kind = ValueKind::kText,
                   .value = "ARCH",
                   .doc = "The architecture: sd1, sd2, sdxl, sd3, flux1 …",
                   .details = "By any name that people use, such as \"sd 1.5\" or \"flux dev\".",
                   .group = "Parts"});
  for (const std::string_view part : PartNames()) {
    flags.push_back({.name = FlagsOfParts().at(part),
                     .kind = ValueKind::kFile,
                     .value = "FILE",
                     .doc = DocOf(part),
                     .group = "Parts"});
  }
  for (const std::string_view part : LoosePartNames()) {
    flags.push_back({.name = part,
                     .kind = ValueKind::kFile,
                     .value = "FILE",
                     .doc = DocOf(part),
                     .group = "Parts"});
  }
  return flags;
}

}  // namespace

const Command& assemble() {
  static const Command command = {
      .name = "assemble",
      .summary = "Assemble components into one model",
      .group = CommandGroup::kConvert,
      .doc =
          "The reverse of `split`: each part gets the names that it has in one file of the "
          "architecture, text encoders from any naming. A part that is not the component that "
          "its flag says, or is incomplete, is refused.",
      .flags = FlagsOfAssemble(),
      .examples = {{"weightsmith assemble --like sdxl --unet unet.safetensors --clip-l "
                    "clip_l.safetensors --clip-g clip_g.safetensors --vae vae.safetensors -o "
                    "model.safetensors",
                    "An SDXL model from its parts:"}},
      .run = RunAssemble,
  };
  return command;
}

}  // namespace weightsmith::internal
