#include "core/anatomy/file_layout.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "core/anatomy/component_views.h"
#include "core/anatomy/pipeline.h"
#include "core/error.h"
#include "core/io/output_name.h"

namespace weightsmith {
namespace {

constexpr FileLayoutWord kWords[] = {
    {"keep", FileLayout::kKeep}, {"comfy", FileLayout::kComfy},
    {"ldm", FileLayout::kLdm},   {"sgm", FileLayout::kSgm},
    {"bfl", FileLayout::kBfl},   {"diffusers", FileLayout::kDiffusers},
};

std::shared_ptr<const Checkpoint> UnderCanonicalNames(const Checkpoint& checkpoint,
                                                      const Anatomy& anatomy) {
  std::vector<CheckpointTensor> tensors(checkpoint.tensors().begin(), checkpoint.tensors().end());
  for (std::size_t i = 0; i < tensors.size(); ++i) tensors[i].name = anatomy.tensors[i].canonical;
  std::ranges::sort(tensors, {}, &CheckpointTensor::name);
  return checkpoint.View(std::move(tensors), "");
}

std::shared_ptr<const Checkpoint> OnlyComponent(const Checkpoint& checkpoint,
                                                const Anatomy& anatomy, FileLayout layout) {
  const bool diffusers = layout == FileLayout::kDiffusers;
  const std::vector<ComponentView> views = ComponentViews(
      checkpoint, anatomy, diffusers ? FileNaming::kDiffusers : FileNaming::kLoaders);
  if (views.size() == 1) return views.front().checkpoint;
  std::vector<std::string> names;
  for (const ComponentView& view : views) names.push_back(view.name);
  throw Error(ErrorCode::kMismatch,
              fmt::format("in the layout {} a file holds one component, and this one would hold {}",
                          ToString(layout), fmt::join(names, ", ")),
              diffusers ? "Write to a folder, or only one of the components."
                        : "Write only one of the components.");
}

}  // namespace

std::span<const FileLayoutWord> FileLayoutWords() {
  return kWords;
}

std::optional<FileLayout> FileLayoutByWord(std::string_view word) {
  const auto* const found = std::ranges::find(kWords, word, &FileLayoutWord::word);
  if (found == std::end(kWords)) return std::nullopt;
  return found->layout;
}

std::string_view ToString(FileLayout layout) {
  return std::ranges::find(kWords, layout, &FileLayoutWord::layout)->word;
}

FileForm FormOf(FileLayout layout, bool split, const std::filesystem::path& path) {
  if (split) return FileForm::kSplit;
  const bool folder = layout == FileLayout::kDiffusers && !IsSafetensorsName(path);
  return folder ? FileForm::kPipeline : FileForm::kOne;
}

void ExpectLayout(FileLayout layout, const Anatomy& anatomy) {
  if (layout == FileLayout::kKeep) return;
  const bool known = anatomy.architecture != nullptr || anatomy.part != nullptr;
  if (layout == FileLayout::kDiffusers && known) return;
  const std::string_view word = ToString(layout);
  if (anatomy.architecture == nullptr) {
    throw Error(ErrorCode::kMismatch,
                fmt::format("the layout {}: the architecture of the tensors is not known", word),
                "'weightsmith info' says what a file is.");
  }
  const Architecture& architecture = *anatomy.architecture;
  const bool stable_diffusion = architecture.layout == "ldm" || architecture.layout == "sgm";
  const bool has = layout == FileLayout::kComfy || word == architecture.layout ||
                   word == architecture.bare_layout ||
                   (layout == FileLayout::kLdm && stable_diffusion);
  if (has) return;
  throw Error(ErrorCode::kMismatch, fmt::format("{} has no layout '{}'", architecture.title, word),
              fmt::format("It has {}{} and diffusers.", architecture.layout,
                          architecture.bare_layout == "bfl" ? ", bfl" : ""));
}

FileSet FilesIn(const std::shared_ptr<const Checkpoint>& checkpoint, const Anatomy& anatomy,
                FileLayout layout, FileForm form, bool in_pipeline) {
  ExpectLayout(layout, anatomy);
  if (form == FileForm::kPipeline) return AsPipeline(*checkpoint, anatomy, in_pipeline);
  FileSet files;
  if (form == FileForm::kSplit) {
    const FileNaming naming =
        layout == FileLayout::kDiffusers ? FileNaming::kDiffusers : FileNaming::kLoaders;
    for (ComponentView& view : ComponentViews(*checkpoint, anatomy, naming)) {
      files.weights.push_back({view.name, view.name + ".safetensors", std::move(view.checkpoint)});
    }
    return files;
  }
  switch (layout) {
    case FileLayout::kKeep:
      files.weights.push_back({"", "", checkpoint});
      break;
    case FileLayout::kLdm:
    case FileLayout::kSgm:
    case FileLayout::kComfy:
      files.weights.push_back({"", "", UnderCanonicalNames(*checkpoint, anatomy)});
      break;
    case FileLayout::kBfl:
    case FileLayout::kDiffusers:
      files.weights.push_back({"", "", OnlyComponent(*checkpoint, anatomy, layout)});
      break;
  }
  return files;
}

}  // namespace weightsmith
