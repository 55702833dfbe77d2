#include "merge/plan/output_naming.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

namespace weightsmith::internal {
namespace {

NamedTensor AsItIs(const OutputTensor& tensor, std::uint32_t index, std::string name) {
  const std::uint64_t elements = tensor.info.elements();
  return {std::move(name), tensor.info, {{index, 0, ContiguousRun(0, 0, elements), true}}};
}

std::vector<NamedTensor> AsTheyAre(const std::vector<OutputTensor>& tensors) {
  std::vector<NamedTensor> named;
  for (std::uint32_t i = 0; i < tensors.size(); ++i) {
    named.push_back(AsItIs(tensors[i], i, tensors[i].name));
  }
  return named;
}

std::vector<NamedFile> ByShards(const std::filesystem::path& path, std::uint64_t limit,
                                std::vector<NamedTensor> tensors) {
  std::ranges::sort(tensors, {}, &NamedTensor::name);
  std::vector<NamedFile> files(1);
  std::uint64_t filled = 0;
  for (NamedTensor& tensor : tensors) {
    const std::uint64_t size = tensor.info.bytes();
    if (filled > 0 && filled + size > limit) {
      files.emplace_back();
      filled = 0;
    }
    filled += size;
    files.back().tensors.push_back(std::move(tensor));
  }
  const std::string stem = path.stem().string();
  for (std::size_t i = 0; i < files.size(); ++i) {
    files[i].path = files.size() == 1
                        ? path
                        : path.parent_path() / fmt::format("{}-{:05}-of-{:05}.safetensors", stem,
                                                           i + 1, files.size());
  }
  return files;
}

/// What tensors are that do not say it themselves: components of the leading model, as planned.
Anatomy AsPlanned(const Anatomy* leading, const std::vector<OutputTensor>& tensors) {
  std::vector<const OutputTensor*> sorted;
  for (const OutputTensor& tensor : tensors) sorted.push_back(&tensor);
  std::ranges::sort(sorted, {}, &OutputTensor::name);
  Anatomy anatomy = leading != nullptr ? *leading : Anatomy();
  anatomy.part = nullptr;  // a component alone keeps its own names
  anatomy.components.clear();
  anatomy.tensors.clear();
  for (const OutputTensor* tensor : sorted) {
    auto component =
        std::ranges::find(anatomy.components, tensor->component, &ComponentAnatomy::name);
    if (component == anatomy.components.end()) {
      anatomy.components.emplace_back().name = tensor->component;
      component = std::prev(anatomy.components.end());
      const ComponentAnatomy* const known =
          leading != nullptr ? leading->FindComponent(tensor->component) : nullptr;
      if (known != nullptr) component->kind = known->kind;
    }
    const auto index = std::distance(anatomy.components.begin(), component);
    anatomy.tensors.push_back({.canonical = tensor->canonical,
                               .local = tensor->local,
                               .component = static_cast<std::uint32_t>(index)});
  }
  return anatomy;
}

/// The tensors as a file of the layout keep, which is not written, one after the other. Views of it
/// in another naming say where the elements of each come from, which is where they go.
class ImaginedFile {
 public:
  ImaginedFile(const OutputSpec& spec, const std::vector<OutputTensor>& tensors)
      : tensors_(tensors) {
    std::vector<CheckpointTensor> laid;
    std::uint64_t end = 0;
    for (std::uint32_t i = 0; i < tensors.size(); ++i) {
      starts_.push_back(end);
      laid.push_back({.name = tensors[i].name, .info = tensors[i].info, .offset = end});
      end += std::max<std::uint64_t>(1, tensors[i].info.bytes());
    }
    checkpoint_ = Checkpoint::OfTensors(std::move(laid), spec.path);
  }

  const std::shared_ptr<const Checkpoint>& checkpoint() const { return checkpoint_; }

  NamedTensor Named(const CheckpointTensor& view) const {
    NamedTensor named{view.name, view.info, {}};
    if (view.gather == nullptr) {
      named.pieces.push_back(
          Piece(ContiguousRun(0, view.offset, view.info.elements()), view.info, 0));
      return named;
    }
    std::uint64_t done = 0;
    for (const GatherRun& run : *view.gather) {
      named.pieces.push_back(Piece(run, view.info, done));
      done += run.elements();
    }
    return named;
  }

 private:
  /// `from`: a run of this file, which is the elements of the view from `first` on.
  NamedPiece Piece(const GatherRun& from, const TensorInfo& view, std::uint64_t first) const {
    const auto after = std::ranges::upper_bound(starts_, from.offset);
    const auto index = static_cast<std::uint32_t>(std::distance(starts_.begin(), after) - 1);
    const std::uint64_t bits = Info(view.dtype).bits;
    NamedPiece piece{index, (from.offset - starts_[index]) * 8 / bits,
                     ContiguousRun(0, first * bits / 8, from.elements())};
    if (from.axes.size() == 2) {
      // Columns of ours are rows of theirs: our row-major order steps through them crosswise.
      const std::uint64_t rows = from.axes[1].size;
      piece.run.axes = {{rows, 1}, {from.axes[0].size, rows}};
    } else {
      piece.whole = piece.run.elements() == tensors_[index].info.elements();
    }
    piece.whole = piece.whole && view.elements() == piece.run.elements();
    return piece;
  }

  const std::vector<OutputTensor>& tensors_;
  std::vector<std::uint64_t> starts_;
  std::shared_ptr<const Checkpoint> checkpoint_;
};

}  // namespace

NamedOutput NameOutput(const OutputSpec& spec, const std::vector<OutputTensor>& tensors,
                       const std::optional<Metadata>& metadata, const Anatomy* leading) {
  const FileForm form = FormOf(spec.layout, spec.split, spec.path);
  NamedOutput output;
  if (spec.layout == OutputLayout::kKeep && form == FileForm::kOne) {
    output.files.push_back({spec.path, AsTheyAre(tensors)});
    if (spec.max_shard_size) {
      output.files = ByShards(spec.path, *spec.max_shard_size, std::move(output.files[0].tensors));
    }
    return output;
  }
  const ImaginedFile imagined(spec, tensors);
  Anatomy anatomy = ExamineHeader(imagined.checkpoint()->tensors(), metadata);
  if (spec.layout == OutputLayout::kKeep && anatomy.architecture == nullptr) {
    anatomy = AsPlanned(leading, tensors);
  }
  FileSet set =
      FilesIn(imagined.checkpoint(), anatomy, spec.layout, form, spec.files_from.has_value());
  for (const FileSet::Weights& weights : set.weights) {
    NamedFile file{weights.path.empty() ? spec.path : spec.path / weights.path, {}};
    for (const CheckpointTensor& view : weights.checkpoint->tensors()) {
      file.tensors.push_back(imagined.Named(view));
    }
    output.files.push_back(std::move(file));
  }
  if (spec.max_shard_size && form == FileForm::kOne) {
    output.files = ByShards(spec.path, *spec.max_shard_size, std::move(output.files[0].tensors));
  }
  output.texts = std::move(set.texts);
  output.notes = std::move(set.notes);
  return output;
}

}  // namespace weightsmith::internal
