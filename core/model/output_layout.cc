#include "core/model/output_layout.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/io/output_name.h"
#include "core/model/pipeline.h"
#include "core/model/views/component_views.h"

namespace weightsmith::internal {
namespace {

constexpr OutputLayoutWord kWords[] = {
    {"keep", OutputLayout::kKeep}, {"comfy", OutputLayout::kComfy},
    {"ldm", OutputLayout::kLdm},   {"sgm", OutputLayout::kSgm},
    {"bfl", OutputLayout::kBfl},   {"diffusers", OutputLayout::kDiffusers},
};

std::shared_ptr<const Checkpoint> UnderCanonicalNames(const Checkpoint& checkpoint,
                                                      const Anatomy& anatomy) {
  std::vector<CheckpointTensor> tensors(checkpoint.tensors().begin(), checkpoint.tensors().end());
  for (std::size_t i = 0; i < tensors.size(); ++i) tensors[i].name = anatomy.tensors[i].canonical;
  std::ranges::sort(tensors, {}, &CheckpointTensor::name);
  return checkpoint.View(std::move(tensors), "");
}

std::shared_ptr<const Checkpoint> OnlyComponent(const Checkpoint& checkpoint,
                                                const Anatomy& anatomy, OutputLayout layout) {
  const bool diffusers = layout == OutputLayout::kDiffusers;
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

std::span<const OutputLayoutWord> OutputLayoutWords() {
  return kWords;
}

std::optional<OutputLayout> OutputLayoutByWord(std::string_view word) {
  const auto* const found = std::ranges::find(kWords, word, &OutputLayoutWord::word);
  if (found == std::end(kWords)) return std::nullopt;
  return found->layout;
}

std::string_view ToString(OutputLayout layout) {
  return std::ranges::find(kWords, layout, &OutputLayoutWord::layout)->word;
}

FileForm FormOf(OutputLayout layout, bool split, const std::filesystem::path& path) {
  if (split) return FileForm::kSplit;
  const bool folder = layout == OutputLayout::kDiffusers && !IsSafetensorsName(path);
  return folder ? FileForm::kPipeline : FileForm::kOne;
}

void ExpectLayout(OutputLayout layout, const Anatomy& anatomy) {
  if (layout == OutputLayout::kKeep) return;
  if (layout == OutputLayout::kDiffusers && anatomy.part != nullptr) return;
  const std::string_view word = ToString(layout);
  if (anatomy.architecture == nullptr) {
    throw Error(ErrorCode::kMismatch,
                fmt::format("the layout {}: the architecture of the tensors is not known", word),
                "'weightsmith info' says what a file is.");
  }
  const Architecture& architecture = *anatomy.architecture;
  const bool stable_diffusion = architecture.layout == "ldm" || architecture.layout == "sgm";
  const bool has = word == architecture.layout || word == architecture.bare_layout ||
                   layout == OutputLayout::kComfy ||
                   (layout == OutputLayout::kDiffusers && !architecture.pipeline.empty()) ||
                   (layout == OutputLayout::kLdm && stable_diffusion);
  if (has) return;
  throw Error(ErrorCode::kMismatch, fmt::format("{} has no layout '{}'", architecture.title, word),
              fmt::format("It has {}{}{}.", architecture.layout,
                          architecture.bare_layout == "bfl" ? ", bfl" : "",
                          architecture.pipeline.empty() ? "" : " and diffusers"));
}

FileSet FilesIn(const std::shared_ptr<const Checkpoint>& checkpoint, const Anatomy& anatomy,
                OutputLayout layout, FileForm form, bool in_pipeline) {
  ExpectLayout(layout, anatomy);
  if (form == FileForm::kPipeline) return AsPipeline(*checkpoint, anatomy, in_pipeline);
  FileSet files;
  if (form == FileForm::kSplit) {
    const FileNaming naming =
        layout == OutputLayout::kDiffusers ? FileNaming::kDiffusers : FileNaming::kLoaders;
    for (ComponentView& view : ComponentViews(*checkpoint, anatomy, naming)) {
      files.weights.push_back({view.name, view.name + ".safetensors", std::move(view.checkpoint)});
    }
    return files;
  }
  switch (layout) {
    case OutputLayout::kKeep:
      files.weights.push_back({"", "", checkpoint});
      break;
    case OutputLayout::kLdm:
    case OutputLayout::kSgm:
    case OutputLayout::kComfy:
      files.weights.push_back({"", "", UnderCanonicalNames(*checkpoint, anatomy)});
      break;
    case OutputLayout::kBfl:
    case OutputLayout::kDiffusers:
      files.weights.push_back({"", "", OnlyComponent(*checkpoint, anatomy, layout)});
      break;
  }
  return files;
}

}  // namespace weightsmith::internal
