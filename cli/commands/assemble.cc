#include "recipes/jobs/assemble.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/default_names.h"
#include "cli/merge_request.h"
#include "cli/rewrite_command.h"
#include "core/base/error.h"
#include "core/model/architecture_names.h"

namespace weightsmith::internal {
namespace {

/// A part as a flag.
struct PartFlag {
  std::string part;
  std::string name;  ///< "clip-l" of clip_l
  std::string doc;
};

/// The ids of the architectures that have each component.
using Owners = std::map<std::string, std::vector<std::string_view>, std::less<>>;

Owners OwnersOfAll() {
  Owners owners;
  for (const Architecture* architecture : Architectures()) {
    for (const ComponentRule& component : architecture->rows.front().components()) {
      std::vector<std::string_view>& ids = owners[component.name];
      if (ids.empty() || ids.back() != architecture->id) ids.push_back(architecture->id);
    }
  }
  return owners;
}

std::string DocOf(std::string_view part, const Owners& owners) {
  constexpr std::pair<std::string_view, std::string_view> kDocs[] = {
      {"unet", "The diffusion model, where it is a UNet"},
      {"transformer", "The diffusion model, where it is a transformer"},
      {"vae", "The VAE"},
      {"te1", "The architecture's first text encoder, whichever it is"},
      {"te2", "Its second text encoder"},
      {"te3", "Its third text encoder"},
      {"other", "Tensors of no component, as split writes them"},
      {"ema", "EMA copies of the weights, as split writes them"},
  };
  for (const auto& [name, doc] : kDocs) {
    if (name == part) return std::string(doc);
  }
  static const std::vector<std::string_view> kNone;
  const auto known = std::ranges::find(Parts(), part, &Part::id);
  const auto owned = owners.find(part);
  return fmt::format("{}, of {}", known == Parts().end() ? part : (*known)->title,
                     fmt::join(owned == owners.end() ? kNone : owned->second, ", "));
}

const std::vector<PartFlag>& PartFlags() {
  static const std::vector<PartFlag> flags = [] {
    std::vector<PartFlag> made;
    const Owners owners = OwnersOfAll();
    const auto add = [&](std::string_view part) {
      std::string flag(part);
      std::ranges::replace(flag, '_', '-');
      made.push_back({std::string(part), std::move(flag), DocOf(part, owners)});
    };
    std::ranges::for_each(PartNames(), add);
    std::ranges::for_each(LoosePartNames(), add);
    return made;
  }();
  return flags;
}

int RunAssemble(const ParsedArguments& arguments, Terminal& terminal) {
  const auto like = arguments.Text("like");
  const auto output = arguments.Path("output");
  if (!like) {
    throw Error(ErrorCode::kUsage, "assemble: --like is missing.",
                "Name the architecture: --like sd1, sdxl, flux1 …");
  }
  std::map<std::string, std::filesystem::path> parts;
  for (const PartFlag& flag : PartFlags()) {
    if (const auto path = arguments.Path(FlagName::OfPart(flag.name))) parts[flag.part] = *path;
  }
  const Architecture* architecture = ArchitectureOf(*like);
  const std::string id(architecture != nullptr ? architecture->id : *like);
  return RunRewrite(AssembleJob(*like, parts, output.value_or(AssembledName(id))), arguments,
                    "assembling", terminal);
}

std::vector<Flag> MakeFlagsOfAssemble() {
  std::vector<Flag> flags = RewriteFlags(
      ValueKind::kFile, "FILE", "Write to this file",
      "Without it, `sdxl-assembled.safetensors` of --like sdxl, in the working directory.");
  flags.push_back({.name = "like",
                   .kind = ValueKind::kText,
                   .value = "ARCH",
                   .doc = "The architecture: sd1, sd2, sdxl, sd3, flux1 …",
                   .details = "By any name that people use, such as \"sd 1.5\" or \"flux dev\".",
                   .group = "Parts"});
  for (const PartFlag& part : PartFlags()) {
    flags.push_back({.name = part.name,
                     .kind = ValueKind::kFile,
                     .value = "FILE",
                     .doc = part.doc,
                     .group = "Parts"});
  }
  return flags;
}

/// The parts are those of all architectures, whose declarations expand to every tensor: that would
/// cost each command's start more than all the rest of it.
const std::vector<Flag>& FlagsOfAssemble() {
  static const std::vector<Flag> flags = MakeFlagsOfAssemble();
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
      .flags = FlagsOfAssemble,
      .examples = {{"weightsmith assemble --like sdxl --unet unet.safetensors --clip-l "
                    "clip_l.safetensors --clip-g clip_g.safetensors --vae vae.safetensors -o "
                    "model.safetensors",
                    "An SDXL model from its parts:"}},
      .run = RunAssemble,
  };
  return command;
}

}  // namespace weightsmith::internal
