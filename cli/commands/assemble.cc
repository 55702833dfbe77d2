#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "cli/command.h"
#include "cli/merge_request.h"
#include "cli/rewrite.h"
#include "core/anatomy/canonical_view.h"
#include "core/anatomy/component_views.h"
#include "core/error.h"
#include "core/text.h"

namespace weightsmith {
namespace {

/// Flags of parts: components, and encoders by their number.
constexpr std::string_view kParts[] = {"unet",  "transformer", "clip-l", "clip-g", "clip-h",
                                       "t5xxl", "vae",         "te1",    "te2",    "te3"};

const Architecture& ArchitectureNamed(const std::string& id) {
  std::vector<std::string> known;
  for (const Architecture* architecture : Architectures()) {
    if (architecture->id == id) return *architecture;
    known.emplace_back(architecture->id);
  }
  throw Error(ErrorCode::kUsage,
              fmt::format("assemble: --like: there is no architecture {}.{}", Quote(id),
                          DidYouMean(id, known)),
              fmt::format("Architectures are {}.", fmt::join(known, ", ")));
}

/// The component that a flag means.
const ComponentRule* Meant(const std::vector<ComponentRule>& components, std::string_view flag) {
  std::string name(flag);
  std::ranges::replace(name, '-', '_');
  std::size_t encoder = 0;
  for (const ComponentRule& component : components) {
    if (component.name == name) return &component;
    const bool diffusion = flag == "unet" || flag == "transformer";
    if (diffusion && component.kind == ComponentKind::kDiffusion) return &component;
    if (component.kind != ComponentKind::kText) continue;
    if (flag == fmt::format("te{}", ++encoder)) return &component;
  }
  return nullptr;
}

using Files = std::map<std::string_view, std::shared_ptr<const Checkpoint>>;

/// The row that most of the parts are of: a part of another is then told by its name.
const ArchitectureRow& RowOf(const Architecture& architecture, const Files& files) {
  const ArchitectureRow* best = nullptr;
  std::size_t most = 0;
  for (const ArchitectureRow& row : architecture.rows) {
    const std::vector<ComponentRule> components = row.components();
    std::size_t fitting = 0;
    for (const auto& [flag, file] : files) {
      const ComponentRule* component = Meant(components, flag);
      if (component == nullptr) {
        throw Error(ErrorCode::kUsage,
                    fmt::format("assemble: {} has no {}", architecture.id, flag));
      }
      fitting += IsComponent(*file, *component) ? 1 : 0;
    }
    if (best == nullptr || fitting > most) best = &row;
    most = std::max(most, fitting);
  }
  return *best;
}

int Run(const ParsedArguments& arguments, Terminal& terminal) {
  const auto like = arguments.Text("like");
  const auto output = arguments.Path("out");
  if (!like || !output) {
    throw Error(ErrorCode::kUsage, "assemble: --like ARCH and -o FILE are needed.");
  }
  const Architecture& architecture = ArchitectureNamed(*like);
  Files files;
  for (const std::string_view flag : kParts) {
    if (const auto path = arguments.Path(flag)) {
      files[flag] = WithContext("assemble", [&] { return OpenCanonical(*path); });
    }
  }
  if (files.empty()) throw Error(ErrorCode::kUsage, "assemble: no part is given.");
  const std::vector<ComponentRule> components = RowOf(architecture, files).components();
  std::vector<std::shared_ptr<const Checkpoint>> parts;
  for (const auto& [flag, file] : files) {
    parts.push_back(AsComponent(*file, *Meant(components, flag)));
  }
  for (const std::string_view flag : {"other", "ema"}) {
    if (const auto path = arguments.Path(flag)) parts.push_back(Checkpoint::Open(*path));
  }
  RunRewrites({{"model", Checkpoint::Join(parts), *output}}, arguments, "assembling", terminal);
  return 0;
}

std::vector<Flag> Flags() {
  std::vector<Flag> flags = RunFlags();
  flags.push_back({.name = "like",
                   .kind = ValueKind::kText,
                   .value = "ARCH",
                   .doc = "What it is to be: sd1, sd2, sdxl, sd3, flux1 …",
                   .group = "Parts"});
  for (const std::string_view part : kParts) {
    flags.push_back(
        {.name = part,
         .kind = ValueKind::kFile,
         .value = "FILE",
         .doc = part.starts_with("te") ? "A text encoder by its number" : "This component",
         .group = "Parts"});
  }
  for (const std::string_view part : {"other", "ema"}) {
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
