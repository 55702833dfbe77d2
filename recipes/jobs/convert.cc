#include "recipes/jobs/convert.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <utility>

#include "core/anatomy/canonical_view.h"
#include "core/anatomy/positions.h"
#include "core/error.h"
#include "core/text.h"
#include "merge/commit.h"

namespace weightsmith {
namespace {

/// What is for training only, and what nobody knows.
bool IsJunk(const Anatomy& anatomy, const TensorAnatomy& tensor) {
  const ComponentAnatomy& component = anatomy.components[tensor.component];
  return component.kind == ComponentKind::kOther && tensor.role != Role::kMarker;
}

std::set<std::string> Wanted(const std::vector<std::string>& components, const Anatomy& anatomy) {
  std::set<std::string> wanted;
  std::vector<std::string> known;
  for (const ComponentAnatomy& component : anatomy.components) known.push_back(component.name);
  for (const std::string& name : components) {
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

std::shared_ptr<const Checkpoint> Chosen(const std::shared_ptr<const Checkpoint>& checkpoint,
                                         const ConvertRequest& request, const Anatomy& anatomy) {
  const std::set<std::string> wanted = Wanted(request.components, anatomy);
  std::vector<CheckpointTensor> tensors;
  for (std::size_t i = 0; i < anatomy.tensors.size(); ++i) {
    const TensorAnatomy& told = anatomy.tensors[i];
    if (!wanted.empty() && !wanted.contains(anatomy.components[told.component].name)) continue;
    if (request.prune && IsJunk(anatomy, told)) continue;
    tensors.push_back(checkpoint->tensors()[i]);
  }
  return checkpoint->View(std::move(tensors), "");
}

}  // namespace

FileLayout LayoutNamed(const std::string& word) {
  if (const auto layout = FileLayoutByWord(word)) return *layout;
  std::vector<std::string> known;
  for (const FileLayoutWord& row : FileLayoutWords()) known.emplace_back(row.word);
  throw Error(
      ErrorCode::kUsage,
      fmt::format("convert: there is no layout {}.{}", Quote(word), DidYouMean(word, known)),
      fmt::format("Layouts are {}.", fmt::join(known, ", ")));
}

RewriteJob ConvertJob(const ConvertRequest& request) {
  auto checkpoint = WithContext("convert", [&] { return OpenCanonical(request.path); });
  Anatomy anatomy = Examine(*checkpoint);
  WithContext("convert", [&] { ExpectLayout(request.layout, anatomy); });
  checkpoint = Chosen(checkpoint, request, anatomy);
  anatomy = Examine(*checkpoint);
  RewriteJob job{.files = {}, .folder = request.output, .texts_from = request.files_from};
  if (request.fix) {
    Repaired repaired = WithRightPositions(*checkpoint, anatomy);
    for (const std::string& name : repaired.tensors) {
      job.notes.push_back(fmt::format("{} is 0, 1, 2 … again", Quote(name)));
    }
    if (repaired.tensors.empty())
      job.notes.emplace_back("Nothing is damaged that can be repaired.");
    checkpoint = std::move(repaired.checkpoint);
    anatomy = Examine(*checkpoint);
  }
  PlaceMap<std::optional<DType>> dtype;
  if (request.dtype) dtype = PlaceMap<std::optional<DType>>(request.dtype);
  const FileForm form = FormOf(request.layout, false, request.output);
  FileSet files =
      WithContext("convert", [&] { return FilesIn(checkpoint, anatomy, request.layout, form); });
  ExpectReplaceable(files.texts, request.output, request.overwrite);
  for (const FileSet::Weights& weights : files.weights) {
    const bool one = weights.path.empty();
    job.make_folder = job.make_folder || !one;
    job.files.push_back({one ? "model" : weights.component, weights.checkpoint,
                         one ? request.output : request.output / weights.path, dtype});
  }
  job.texts = std::move(files.texts);
  return job;
}

}  // namespace weightsmith
