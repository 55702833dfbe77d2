#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "cli/command.h"
#include "cli/merge_request.h"
#include "cli/rewrite.h"
#include "core/anatomy/canonical_view.h"
#include "core/anatomy/component_views.h"
#include "core/error.h"
#include "core/text.h"

namespace weightsmith {
namespace {

/// What is for training only, and what nobody knows.
bool IsJunk(const Anatomy& anatomy, const TensorAnatomy& tensor) {
  const ComponentAnatomy& component = anatomy.components[tensor.component];
  return component.kind == ComponentKind::kOther && tensor.role != Role::kMarker;
}

std::set<std::string> Wanted(const ParsedArguments& arguments, const Anatomy& anatomy) {
  std::set<std::string> wanted;
  std::vector<std::string> known;
  for (const ComponentAnatomy& component : anatomy.components) known.push_back(component.name);
  const std::string text = arguments.Text("components").value_or("");
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    const std::string name = text.substr(at, end - at);
    at = end + 1;
    if (std::ranges::find(known, name) == known.end()) {
      throw Error(ErrorCode::kMismatch,
                  fmt::format("convert: the file has no component {}.{}", Quote(name),
                              DidYouMean(name, known)),
                  fmt::format("It has {}.", fmt::join(known, ", ")));
    }
    wanted.insert(name);
  }
  return wanted;
}

int Run(const ParsedArguments& arguments, Terminal& terminal) {
  const std::string& path = arguments.positionals().front();
  const auto output = arguments.Path("out");
  if (!output) throw Error(ErrorCode::kUsage, "convert: -o FILE is needed.");
  const auto checkpoint = WithContext("convert", [&] { return OpenCanonical(path); });
  const Anatomy anatomy = Examine(*checkpoint);
  const std::set<std::string> wanted = Wanted(arguments, anatomy);
  const bool prune = arguments.Has("prune");
  std::vector<CheckpointTensor> tensors;
  for (std::size_t i = 0; i < anatomy.tensors.size(); ++i) {
    const TensorAnatomy& told = anatomy.tensors[i];
    const std::string& component = anatomy.components[told.component].name;
    if (!wanted.empty() && !wanted.contains(component)) continue;
    if (prune && IsJunk(anatomy, told)) continue;
    tensors.push_back(checkpoint->tensors()[i]);
  }
  Rewrite rewrite{"model", checkpoint->View(std::move(tensors), ""), *output};
  if (const auto dtype = arguments.Text("dtype")) {
    rewrite.dtype = PlaceMap<std::optional<DType>>(DTypeByWord(*dtype));
  }
  RunRewrites({rewrite}, arguments, "converting", terminal);
  return 0;
}

std::vector<Flag> Flags() {
  std::vector<Flag> flags = RunFlags();
  flags.push_back({.name = "out",
                   .letter = 'o',
                   .kind = ValueKind::kFile,
                   .value = "FILE",
                   .doc = "Write to this file",
                   .group = "Running"});
  flags.push_back({.name = "dtype",
                   .kind = ValueKind::kDType,
                   .value = "DTYPE",
                   .doc = "Store tensors as f32, f16, bf16, f8_e4m3 or f8_e5m2",
                   .group = "Result"});
  flags.push_back({.name = "components",
                   .kind = ValueKind::kText,
                   .value = "LIST",
                   .doc = "Only these components: unet,vae",
                   .group = "Result"});
  flags.push_back({.name = "prune",
                   .doc = "Leave out EMA copies, training state and what belongs to no component",
                   .group = "Result"});
  return flags;
}

}  // namespace

const Command& convert() {
  static const Command command = {
      .name = "convert",
      .summary = "Write a checkpoint anew: as safetensors, in another dtype, pruned",
      .doc =
          "Reads a .ckpt, a safetensors file, shards or a folder of diffusers and writes one "
          "safetensors file under the names of the model's publisher. Values are the same, but "
          "for --dtype.",
      .positionals = {{.name = "FILE", .doc = "a checkpoint, or a folder of diffusers"}},
      .flags = Flags(),
      .examples = {{"weightsmith convert model.ckpt -o model.safetensors", "From a pickle:"},
                   {"weightsmith convert pipeline/ --dtype f16 --prune -o model.safetensors",
                    "A folder of diffusers as one file of half the size:"}},
      .run = Run,
  };
  return command;
}

}  // namespace weightsmith
