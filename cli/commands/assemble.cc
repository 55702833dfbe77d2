#include "recipes/jobs/assemble.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <utility>

#include "cli/command.h"
#include "cli/merge_request.h"
#include "cli/rewrite_command.h"
#include "core/error.h"

namespace weightsmith {
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

int Run(const ParsedArguments& arguments, Terminal& terminal) {
  const auto like = arguments.Text("like");
  const auto output = arguments.Path("out");
  if (!like || !output) {
    throw Error(ErrorCode::kUsage, "assemble: --like ARCH and -o FILE are needed.");
  }
  std::map<std::string, std::filesystem::path> parts;
  for (const auto& [part, flag] : FlagsOfParts()) {
    if (const auto path = arguments.Path(flag)) parts[std::string(part)] = *path;
  }
  RunRewrite(AssembleJob(*like, parts, *output), arguments, "assembling", terminal);
  return 0;
}

std::vector<Flag> Flags() {
  std::vector<Flag> flags = RunFlags();
  flags.push_back({.name = "like",
                   .kind = ValueKind::kText,
                   .value = "ARCH",
                   .doc = "What it is to be: sd1, sd2, sdxl, sd3, flux1 …",
                   .group = "Parts"});
  for (const std::string_view part : PartNames()) {
    flags.push_back(
        {.name = FlagsOfParts().at(part),
         .kind = ValueKind::kFile,
         .value = "FILE",
         .doc = part.starts_with("te") ? "A text encoder by its number" : "This component",
         .group = "Parts"});
  }
  for (const std::string_view part : LoosePartNames()) {
    flags.push_back({.name = part,
                     .kind = ValueKind::kFile,
                     .value = "FILE",
                     .doc = "Tensors that go in under their own names",
                     .group = "Parts"});
  }
  flags.push_back({.name = "out",
                   .letter = 'o',
                   .kind = ValueKind::kFile,
                   .value = "FILE",
                   .doc = "Write to this file",
                   .group = "Running"});
  return flags;
}

}  // namespace

const Command& assemble() {
  static const Command command = {
      .name = "assemble",
      .summary = "Put components together into one checkpoint",
      .doc =
          "The reverse of `split`: every part goes under the names that it has in a monolithic "
          "file of the architecture, text encoders in whichever naming they come. A part that is "
          "not the component that it is given as, or not complete, is refused.",
      .flags = Flags(),
      .examples = {{"weightsmith assemble --like sdxl --unet unet.safetensors --clip-l "
                    "clip_l.safetensors --clip-g clip_g.safetensors --vae vae.safetensors -o "
                    "model.safetensors",
                    "An SDXL model of its parts:"}},
      .run = Run,
  };
  return command;
}

}  // namespace weightsmith
