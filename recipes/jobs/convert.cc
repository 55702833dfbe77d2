#include "recipes/jobs/convert.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/io/output_name.h"
#include "core/model/positions.h"
#include "core/model/views/canonical_view.h"
#include "recipes/jobs/component_choice.h"

namespace weightsmith::internal {
namespace {

/// What is for training only, and what nobody knows.
bool IsJunk(const Anatomy& anatomy, const TensorAnatomy& tensor) {
  const ComponentAnatomy& component = anatomy.components[tensor.component];
  return component.kind == ComponentKind::kOther && tensor.role != Role::kMarker;
}

std::shared_ptr<const Checkpoint> Chosen(const std::shared_ptr<const Checkpoint>& checkpoint,
                                         const ConvertRequest& request, const Anatomy& anatomy,
                                         std::vector<std::string>& notes) {
  const std::set<std::string> wanted = ChosenComponents(request.components, anatomy, "convert");
  std::vector<CheckpointTensor> tensors;
  std::map<std::string, std::uint64_t> left_out;
  for (std::size_t i = 0; i < anatomy.tensors.size(); ++i) {
    const TensorAnatomy& told = anatomy.tensors[i];
    const std::string& component = anatomy.components[told.component].name;
    const bool chosen = wanted.empty() || wanted.contains(component);
    if (!chosen || (request.prune && IsJunk(anatomy, told))) {
      ++left_out[component];
      continue;
    }
    tensors.push_back(checkpoint->tensors()[i]);
  }
  for (const auto& [component, count] : left_out) {
    notes.push_back(fmt::format("left out: {} {} of {}", FormatCount(count),
                                count == 1 ? "tensor" : "tensors", component));
  }
  return checkpoint->View(std::move(tensors), "");
}

}  // namespace

OutputLayout LayoutNamed(const std::string& word) {
  if (const auto layout = OutputLayoutByWord(word)) return *layout;
  std::vector<std::string> known;
  for (const OutputLayoutWord& row : OutputLayoutWords()) known.emplace_back(row.word);
  throw Error(
      ErrorCode::kUsage,
      fmt::format("convert: there is no layout {}.{}", Quote(word), DidYouMean(word, known)),
      fmt::format("Layouts are {}.", fmt::join(known, ", ")));
}

RewriteJob ConvertJob(const ConvertRequest& request) {
  const FileForm form = FormOf(request.layout, false, request.output);
  WithContext("convert", [&] {
    ExpectOutputName(request.output,
                     form == FileForm::kOne ? OutputKind::kFile : OutputKind::kFolder);
  });
  auto checkpoint = WithContext(
      "convert", [&] { return OpenCanonical(request.path, std::nullopt, request.key); });
  Anatomy anatomy = Examine(*checkpoint);
  WithContext("convert", [&] { ExpectLayout(request.layout, anatomy); });
  RewriteJob job{.files = {}, .folder = request.output, .texts_from = request.files_from};
  checkpoint = Chosen(checkpoint, request, anatomy, job.notes);
  anatomy = Examine(*checkpoint);
  if (request.fix) {
    Repaired repaired = WithRightPositions(*checkpoint, anatomy);
    for (const std::string& name : repaired.tensors) {
      job.notes.push_back(fmt::format("repaired: {} is 0, 1, 2 … again", Quote(name)));
    }
    if (repaired.tensors.empty()) job.notes.emplace_back("there is no damage to repair");
    checkpoint = std::move(repaired.checkpoint);
    anatomy = Examine(*checkpoint);
  }
  PlaceMap<std::optional<DType>> dtype;
  if (request.dtype) dtype = PlaceMap<std::optional<DType>>(request.dtype);
  FileSet files = WithContext("convert", [&] {
    return FilesIn(checkpoint, anatomy, request.layout, form, request.files_from.has_value());
  });
  job.notes.insert(job.notes.end(), files.notes.begin(), files.notes.end());
  for (const FileSet::Weights& weights : files.weights) {
    const bool one = weights.path.empty();
    job.make_folder = job.make_folder || !one;
    job.files.push_back({one ? "model" : weights.component, weights.checkpoint,
                         one ? request.output : request.output / weights.path, dtype});
  }
  job.texts = std::move(files.texts);
  return job;
}

}  // namespace weightsmith::internal
