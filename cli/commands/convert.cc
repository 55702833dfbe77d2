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
#include "core/anatomy/file_layout.h"
#include "core/anatomy/positions.h"
#include "core/error.h"
#include "core/io/configuration_files.h"
#include "core/io/output_file.h"
#include "core/text.h"
#include "merge/commit.h"

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

FileLayout LayoutIn(const ParsedArguments& arguments) {
  const auto word = arguments.Text("layout");
  if (!word) return FileLayout::kKeep;
  if (const auto layout = FileLayoutByWord(*word)) return *layout;
  std::vector<std::string> known;
  for (const FileLayoutWord& row : FileLayoutWords()) known.emplace_back(row.word);
  throw Error(ErrorCode::kUsage,
              fmt::format("convert: --layout: there is no layout {}.{}", Quote(*word),
                          DidYouMean(*word, known)),
              fmt::format("Layouts are {}.", fmt::join(known, ", ")));
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

/// Configurations, the index last: with it the folder is a pipeline.
void WriteTexts(const FileSet& files, const std::filesystem::path& folder,
                const ParsedArguments& arguments) {
  const auto from = arguments.Path("files-from");
  if (from) CopyPipelineConfiguration(*from, folder);
  for (const FileSet::Text& text : files.texts) {
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
  const FileLayout layout = LayoutIn(arguments);
  auto checkpoint = WithContext("convert", [&] { return OpenCanonical(path); });
  Anatomy anatomy = Examine(*checkpoint);
  WithContext("convert", [&] { ExpectLayout(layout, anatomy); });
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
  const FileForm form = FormOf(layout, false, *output);
  const FileSet files =
      WithContext("convert", [&] { return FilesIn(checkpoint, anatomy, layout, form); });
  ExpectReplaceable(files.texts, *output, arguments.Has("force"));
  std::vector<Rewrite> rewrites;
  for (const FileSet::Weights& weights : files.weights) {
    const bool one = weights.path.empty();
    rewrites.push_back({one ? "model" : weights.component, weights.checkpoint,
                        one ? *output : *output / weights.path, dtype, !one});
  }
  RunRewrites(rewrites, arguments, "converting", terminal);
  WriteTexts(files, *output, arguments);
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
