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
#include "core/model/pruned.h"
#include "core/model/views/canonical_view.h"
#include "recipes/jobs/component_choice.h"

namespace weightsmith::internal {
namespace {

/// Those of the chosen components of which pruning leaves something; all of them, to be refused,
/// where it leaves nothing.
std::set<std::string> Unpruned(const Anatomy& anatomy, const std::set<std::string>& chosen) {
  std::set<std::string> unpruned;
  for (const TensorAnatomy& tensor : anatomy.tensors) {
    const std::string& component = anatomy.components[tensor.component].name;
    if (chosen.contains(component) && !IsPrunable(anatomy, tensor)) unpruned.insert(component);
  }
  return unpruned.empty() ? chosen : unpruned;
}

/// What the model does without, a sentence for each component.
std::vector<std::string> LeftOut(const Anatomy& anatomy, const std::set<std::string>& chosen,
                                 bool prune) {
  std::map<std::string, std::uint64_t> counts;
  for (const TensorAnatomy& tensor : anatomy.tensors) {
    const std::string& component = anatomy.components[tensor.component].name;
    const bool wanted = chosen.empty() || chosen.contains(component);
    if (!wanted || (prune && IsPrunable(anatomy, tensor))) ++counts[component];
  }
  std::vector<std::string> notes;
  for (const auto& [component, count] : counts) {
    notes.push_back(fmt::format("left out: {} {} of {}", FormatCount(count),
                                count == 1 ? "tensor" : "tensors", component));
  }
  return notes;
}

/// What `fix` repairs of the chosen components.
std::vector<std::string> Repairs(const Checkpoint& checkpoint, const Anatomy& anatomy,
                                 const std::set<std::string>& chosen) {
  std::vector<std::string> notes;
  for (const std::string& name : WithRightPositions(checkpoint, anatomy).tensors) {
    const auto tensor = std::ranges::find(checkpoint.tensors(), name, &CheckpointTensor::name);
    const auto place = std::distance(checkpoint.tensors().begin(), tensor);
    const auto component = anatomy.tensors[static_cast<std::size_t>(place)].component;
    if (!chosen.empty() && !chosen.contains(anatomy.components[component].name)) continue;
    notes.push_back(fmt::format("repaired: {} is 0, 1, 2 … again", Quote(name)));
  }
  if (notes.empty()) notes.emplace_back("there is no damage to repair");
  return notes;
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

StoredAs StorageNamed(const std::string& word) {
  if (const auto stored = StoredAsByWord(word)) return *stored;
  const std::vector<std::string_view> words = StorableWords();
  const std::vector<std::string> known(words.begin(), words.end());
  throw Error(ErrorCode::kUsage,
              fmt::format("convert: there is no dtype {}.{}", Quote(word), DidYouMean(word, known)),
              fmt::format("Dtypes are {}.", fmt::join(known, ", ")));
}

RewriteJob ConvertJob(const ConvertRequest& request) {
  return WithContext("convert", [&] {
    const FileForm form = FormOf(request.layout, false, request.output);
    ExpectOutputName(request.output,
                     form == FileForm::kOne ? OutputKind::kFile : OutputKind::kFolder);
    const auto checkpoint = OpenCanonical(request.path, std::nullopt, request.key);
    const Anatomy anatomy = Examine(*checkpoint);
    ExpectLayout(request.layout, anatomy);
    const std::set<std::string> chosen = ChosenComponents(request.components, anatomy);

    RecipeOutput output{.path = request.output, .layout = request.layout};
    if (request.dtype) output.dtype = PlaceMap<std::optional<StoredAs>>(request.dtype);
    output.files_from = request.files_from;
    const FileReference file{
        .path = request.path, .key = request.key, .prune = request.prune, .fix = request.fix};
    RecipeModel model = ModelOf(file, request.prune ? Unpruned(anatomy, chosen) : chosen);
    RewriteJob job{.command = "convert",
                   .recipe = CopyRecipe(std::move(model), std::move(output)),
                   .notes = LeftOut(anatomy, chosen, request.prune)};
    job.options.opened[request.path] = checkpoint;
    if (request.fix) {
      const std::vector<std::string> repairs = Repairs(*checkpoint, anatomy, chosen);
      job.notes.insert(job.notes.end(), repairs.begin(), repairs.end());
    }
    return job;
  });
}

}  // namespace weightsmith::internal
