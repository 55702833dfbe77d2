#include "merge/plan/planner_files.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "core/base/error.h"
#include "core/formats/safetensors/layout.h"
#include "core/io/output_target.h"
#include "merge/plan/output_naming.h"

namespace weightsmith::internal {
namespace {

bool IsFp8(DType dtype) {
  return dtype == DType::kF8E4M3 || dtype == DType::kF8E5M2;
}

bool NamedByRegex(const OutputSpec& spec, const TensorPlace& place) {
  return std::ranges::any_of(spec.dtype.rows(), [&](const auto& row) {
    return row.selector.specificity() == Specificity::kRegex && row.selector.Matches(place);
  });
}

/// Lays a file out and gives the products of its tensors their places in it.
void LayOutFile(Plan& plan, std::uint32_t output, const NamedFile& file,
                const std::vector<OutputTensor>& tensors, const std::optional<Metadata>& metadata) {
  std::vector<TensorSpec> specs;
  std::map<std::string_view, const NamedTensor*> by_name;
  for (const NamedTensor& tensor : file.tensors) {
    specs.push_back({tensor.name, tensor.info});
    by_name[tensor.name] = &tensor;
  }
  const auto number = static_cast<std::uint32_t>(plan.output_files.size());
  HeaderLayout layout = LayOut(std::move(specs), metadata, kDataAlignment);
  // Where the file has parts or other shapes, digests are those of the tensors under our names.
  const bool recast = std::ranges::any_of(file.tensors, [&](const NamedTensor& tensor) {
    const NamedPiece& piece = tensor.pieces.front();
    return !piece.whole || tensor.info.shape != tensors[piece.tensor].info.shape;
  });
  std::map<std::uint32_t, std::vector<const NamedPiece*>> pieces;
  std::map<const NamedPiece*, std::uint64_t> starts;
  for (const SafetensorsEntry& entry : layout.tensors) {
    for (const NamedPiece& piece : by_name.at(entry.name)->pieces) {
      pieces[piece.tensor].push_back(&piece);
      starts[&piece] = layout.data_start + entry.begin + piece.run.offset;
      if (recast) continue;
      const OutputTensor& tensor = tensors[piece.tensor];
      plan.tasks[tensor.task].products[tensor.product].name = entry.name;
    }
  }
  for (auto& [index, parts] : pieces) {
    const OutputTensor& tensor = tensors[index];
    Product& product = plan.tasks[tensor.task].products[tensor.product];
    std::ranges::sort(parts, {}, [](const NamedPiece* piece) { return piece->first; });
    product.file = number;
    product.offset = starts.at(parts.front());
    if (recast) product.name = tensor.local;
    if (parts.front()->whole) continue;
    Gather places;
    for (const NamedPiece* piece : parts) {
      places.push_back({number, starts.at(piece), piece->run.axes});
    }
    product.scatter = std::make_shared<const Gather>(std::move(places));
  }
  plan.bytes_to_write += layout.file_size;
  plan.outputs[output].files.push_back(number);
  plan.output_files.push_back({file.path, std::move(layout), output});
}

/// Tensors of one name come of files of which one is not known for what it is.
void ExpectDistinctNames(const OutputSpec& spec, const std::vector<OutputTensor>& tensors) {
  std::map<std::string_view, const OutputTensor*> named;
  for (const OutputTensor& tensor : tensors) {
    const auto [place, added] = named.try_emplace(tensor.name, &tensor);
    if (added) continue;
    throw Error(
        ErrorCode::kMismatch,
        fmt::format("output '{}': two tensors would be called '{}', one of {} and one of {}",
                    spec.path.string(), tensor.name, place->second->component, tensor.component),
        "What is in no component, `other`, is of a file whose architecture is not known: "
        "'weightsmith info FILE' says that. If it lacks tensors, complete it with `fallback` "
        "first, or leave those out with `components` of the output.");
  }
}

/// Whether a weight can be stored in the encoding, by the name that all have a `.weight` in.
bool CanBeEncoded(const Encoding& encoding, const ModelTensor& tensor) {
  const bool named = tensor.stored->name.ends_with(kWeightEnd) &&
                     tensor.anatomy->canonical.ends_with(kWeightEnd) &&
                     tensor.anatomy->local.ends_with(kWeightEnd);
  return named && encoding.scales_of(tensor.stored->info.shape);
}

}  // namespace

StoredAs OutputStorage(const OutputSpec& spec, const TensorPlace& place,
                       const ModelTensor& leading) {
  const DType stored = leading.stored->info.dtype;
  const bool computable = leading.anatomy->role == Role::kWeight && Info(stored).has_codec;
  if (!computable || spec.dtype.empty()) return stored;
  const StoredAs wanted = spec.dtype.Find(place).value_or(std::nullopt).value_or(stored);
  const bool kept = leading.anatomy->keep_precision && !NamedByRegex(spec, place);
  if (IsFp8(wanted.dtype) && kept) return stored;
  if (wanted.encoding == nullptr) return wanted;
  const bool so_already =
      leading.scales && leading.scales->encoding == wanted.encoding && stored == wanted.dtype;
  return so_already || !CanBeEncoded(*wanted.encoding, leading) ? StoredAs(stored) : wanted;
}

std::string OutputName(const ModelTensor& tensor, bool leftmost, bool bare_layout,
                       bool one_component, const std::string& canonical) {
  if (bare_layout && !one_component) return canonical;
  if (leftmost) return tensor.stored->name;
  return bare_layout ? tensor.anatomy->local : canonical;
}

void PlaceInFiles(Plan& plan, std::uint32_t output, const std::vector<OutputTensor>& tensors,
                  const RunDigests& blank, const Anatomy* leading) {
  OutputPlan& placed = plan.outputs[output];
  const OutputSpec& spec = placed.spec;
  ExpectDistinctNames(spec, tensors);
  const std::optional<Metadata> metadata = spec.metadata ? spec.metadata(blank) : std::nullopt;
  NamedOutput named = NameOutput(spec, tensors, metadata, leading);
  const bool folder = FormOf(spec.layout, spec.split, spec.path) != FileForm::kOne;
  if (!folder && named.files.size() > 1) {
    placed.index = spec.path.parent_path() / (spec.path.filename().string() + ".index.json");
  }
  for (const NamedFile& file : named.files) LayOutFile(plan, output, file, tensors, metadata);
  plan.notes.insert(plan.notes.end(), named.notes.begin(), named.notes.end());
  placed.texts = std::move(named.texts);
  placed.text_folder = spec.path;
  if (!spec.files_from) return;
  const FileForm form = FormOf(spec.layout, spec.split, spec.path);
  placed.copies = form == FileForm::kPipeline
                      ? PipelineConfiguration(*spec.files_from, spec.path)
                      : Configuration(*spec.files_from,
                                      form == FileForm::kSplit ? spec.path : FolderOf(spec.path));
}

}  // namespace weightsmith::internal
