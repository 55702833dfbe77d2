#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <set>
#include <span>

#include "cli/command.h"
#include "cli/merge_request.h"
#include "cli/rewrite.h"
#include "core/anatomy/canonical_view.h"
#include "core/anatomy/component_views.h"
#include "core/anatomy/pipeline.h"
#include "core/anatomy/repair.h"
#include "core/error.h"
#include "core/io/configuration_files.h"
#include "core/io/output_file.h"
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

/// Names that a model has as a whole, with what stands before its components.
bool IsWhole(std::string_view layout) {
  return layout == "ldm" || layout == "sgm" || layout == "comfy";
}

void ExpectLayout(const std::string& layout, const Anatomy& anatomy) {
  constexpr std::string_view kKnown[] = {"ldm", "sgm", "comfy", "bfl", "diffusers"};
  const std::vector<std::string> known(std::begin(kKnown), std::end(kKnown));
  if (std::ranges::find(known, layout) == known.end()) {
    throw Error(ErrorCode::kUsage,
                fmt::format("convert: --layout: there is no layout {}.{}", Quote(layout),
                            DidYouMean(layout, known)),
                fmt::format("Layouts are {}.", fmt::join(known, ", ")));
  }
  if (layout == "diffusers" && (anatomy.architecture != nullptr || anatomy.part != nullptr)) return;
  if (anatomy.architecture == nullptr) {
    throw Error(
        ErrorCode::kMismatch,
        fmt::format("convert: --layout {}: the file is of no architecture that is known", layout),
        "'weightsmith info' says what it is.");
  }
  const Architecture& architecture = *anatomy.architecture;
  const bool stable_diffusion = architecture.layout == "ldm" || architecture.layout == "sgm";
  const bool has = layout == "comfy" || layout == architecture.layout ||
                   layout == architecture.bare_layout || (layout == "ldm" && stable_diffusion);
  if (has) return;
  throw Error(ErrorCode::kMismatch,
              fmt::format("convert: {} has no layout {}", architecture.title, Quote(layout)),
              fmt::format("It has {}{} and diffusers.", architecture.layout,
                          architecture.bare_layout == "bfl" ? ", bfl" : ""));
}

/// The tensors that are wanted, by --components and --prune.
std::vector<std::size_t> Chosen(const ParsedArguments& arguments, const Anatomy& anatomy) {
  const std::set<std::string> wanted = Wanted(arguments, anatomy);
  const bool prune = arguments.Has("prune");
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < anatomy.tensors.size(); ++i) {
    const TensorAnatomy& told = anatomy.tensors[i];
    if (!wanted.empty() && !wanted.contains(anatomy.components[told.component].name)) continue;
    if (!prune || !IsJunk(anatomy, told)) chosen.push_back(i);
  }
  return chosen;
}

/// One file, under the names of `layout`; empty: the names that it has.
std::shared_ptr<const Checkpoint> AsFile(const std::shared_ptr<const Checkpoint>& checkpoint,
                                         const Anatomy& anatomy, const std::string& layout) {
  if (layout.empty()) return checkpoint;
  if (IsWhole(layout)) {
    std::vector<CheckpointTensor> tensors(checkpoint->tensors().begin(),
                                          checkpoint->tensors().end());
    for (std::size_t i = 0; i < tensors.size(); ++i) tensors[i].name = anatomy.tensors[i].canonical;
    std::ranges::sort(tensors, {}, &CheckpointTensor::name);
    return checkpoint->View(std::move(tensors), "");
  }
  const FileNaming naming = layout == "diffusers" ? FileNaming::kDiffusers : FileNaming::kLoaders;
  const std::vector<ComponentView> views = ComponentViews(*checkpoint, anatomy, naming);
  if (views.size() == 1) return views.front().checkpoint;
  std::vector<std::string> names;
  for (const ComponentView& view : views) names.push_back(view.name);
  throw Error(ErrorCode::kUsage,
              fmt::format("convert: in the layout {} a file holds one component, and here are {}",
                          layout, fmt::join(names, ", ")),
              layout == "diffusers" ? "Give -o a folder for all of them, or --components one."
                                    : "Give --components transformer.");
}

/// What the folder of --files-from has beside weights, but for its index.
void CopyFiles(const std::filesystem::path& from, const std::filesystem::path& to) {
  for (const auto& entry : std::filesystem::directory_iterator(from)) {
    if (entry.is_directory()) CopyConfiguration(entry.path(), to / entry.path().filename());
  }
}

/// Configurations, the index last: with it the folder is a pipeline.
void WriteTexts(const Pipeline& pipeline, const std::filesystem::path& folder,
                const ParsedArguments& arguments) {
  const auto from = arguments.Path("files-from");
  if (from) CopyFiles(*from, folder);
  for (const Pipeline::Text& text : pipeline.texts) {
    std::error_code ignored;
    const bool copied = from && std::filesystem::exists(folder / text.path, ignored);
    if (copied) continue;
    WriteFile(folder / text.path, std::as_bytes(std::span(text.text)),
              {.overwrite = arguments.Has("force"), .make_folders = true});
  }
}

int Run(const ParsedArguments& arguments, Terminal& terminal) {
  const std::string& path = arguments.positionals().front();
  const auto output = arguments.Path("out");
  if (!output) throw Error(ErrorCode::kUsage, "convert: -o FILE is needed.");
  const std::string layout = arguments.Text("layout").value_or("");
  auto checkpoint = WithContext("convert", [&] { return OpenCanonical(path); });
  Anatomy anatomy = Examine(*checkpoint);
  if (!layout.empty()) ExpectLayout(layout, anatomy);
  std::vector<CheckpointTensor> tensors;
  for (const std::size_t i : Chosen(arguments, anatomy)) {
    tensors.push_back(checkpoint->tensors()[i]);
  }
  checkpoint = checkpoint->View(std::move(tensors), "");
  anatomy = Examine(*checkpoint);
  if (arguments.Has("fix")) {
    Repaired repaired = WithRightPositions(*checkpoint, anatomy);
    for (const std::string& name : repaired.tensors) {
      terminal.Say(fmt::format("{} is 0, 1, 2 … again", Quote(name)));
    }
    if (repaired.tensors.empty()) terminal.Say("Nothing is damaged that can be repaired.");
    checkpoint = std::move(repaired.checkpoint);
    anatomy = Examine(*checkpoint);
  }
  PlaceMap<std::optional<DType>> dtype;
  if (const auto word = arguments.Text("dtype")) {
    dtype = PlaceMap<std::optional<DType>>(DTypeByWord(*word));
  }
  if (layout != "diffusers" || output->extension() == ".safetensors") {
    RunRewrites({{"model", AsFile(checkpoint, anatomy, layout), *output, dtype}}, arguments,
                "converting", terminal);
    return 0;
  }
  const Pipeline pipeline = AsPipeline(*checkpoint, anatomy);
  std::vector<Rewrite> rewrites;
  for (const Pipeline::Weights& weights : pipeline.weights) {
    rewrites.push_back(
        {weights.component, weights.checkpoint, *output / weights.path, dtype, true});
  }
  RunRewrites(rewrites, arguments, "converting", terminal);
  WriteTexts(pipeline, *output, arguments);
  return 0;
}

std::vector<Flag> Flags() {
  std::vector<Flag> flags = RunFlags();
  flags.push_back({.name = "out",
                   .letter = 'o',
                   .kind = ValueKind::kFile,
                   .value = "FILE",
                   .doc = "Write to this file; with --layout diffusers to this folder",
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
  flags.push_back({.name = "layout",
                   .kind = ValueKind::kText,
                   .value = "LAYOUT",
                   .doc = "Names of the tensors: ldm or comfy for a whole model, bfl for a bare "
                          "FLUX transformer, diffusers for a pipeline's folder or one component",
                   .group = "Result"});
  flags.push_back({.name = "files-from",
                   .kind = ValueKind::kFolder,
                   .value = "DIR",
                   .doc = "Copy tokenizers and configurations from this pipeline's folder",
                   .group = "Result"});
  flags.push_back({.name = "prune",
                   .doc = "Leave out EMA copies, training state and what belongs to no component",
                   .group = "Result"});
  flags.push_back({.name = "fix",
                   .doc = "Set position_ids that a merge has damaged to 0, 1, 2 … again",
                   .group = "Result"});
  return flags;
}

}  // namespace

const Command& convert() {
  static const Command command = {
      .name = "convert",
      .summary = "Write a checkpoint anew: as safetensors, in another dtype or layout, pruned",
      .doc =
          "Reads a .ckpt, a safetensors file, shards or a folder of diffusers and writes one "
          "safetensors file under the names of the model's publisher, or with --layout under "
          "others: of a pipeline that -o names as a folder, with the configurations that diffusers "
          "loads it by. Tokenizers are in no checkpoint: --files-from copies them from a pipeline. "
          "Values are the same, but for --dtype.",
      .positionals = {{.name = "FILE", .doc = "a checkpoint, or a folder of diffusers"}},
      .flags = Flags(),
      .examples = {{"weightsmith convert model.ckpt -o model.safetensors", "From a pickle:"},
                   {"weightsmith convert pipeline/ --dtype f16 --prune -o model.safetensors",
                    "A folder of diffusers as one file of half the size:"},
                   {"weightsmith convert model.safetensors --layout diffusers -o pipeline",
                    "And the reverse:"},
                   {"weightsmith convert merged.safetensors --fix -o mended.safetensors",
                    "After another program averaged the position_ids:"}},
      .run = Run,
  };
  return command;
}

}  // namespace weightsmith
