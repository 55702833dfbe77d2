#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <utility>

#include "core/error.h"
#include "merge/planner.h"

namespace weightsmith {
namespace {

/// Our own files start every data section at a page, so that large writes are whole pages.
constexpr std::uint64_t kAlignment = 4096;

struct FileOfTensors {
  std::filesystem::path path;
  std::vector<OutputTensor> tensors;
};

bool IsFp8(DType dtype) {
  return dtype == DType::kF8E4M3 || dtype == DType::kF8E5M2;
}

bool NamedByRegex(const OutputSpec& spec, const TensorPlace& place) {
  return std::ranges::any_of(spec.dtype.rows(), [&](const auto& row) {
    return row.selector.specificity() == Specificity::kRegex && row.selector.Matches(place);
  });
}

std::vector<FileOfTensors> ByComponent(const OutputSpec& spec, std::vector<OutputTensor> tensors) {
  std::map<std::string, FileOfTensors> parts;
  for (OutputTensor& tensor : tensors) {
    FileOfTensors& part = parts[tensor.component];
    part.path = spec.path / (tensor.component + ".safetensors");
    part.tensors.push_back(std::move(tensor));
  }
  std::vector<FileOfTensors> files;
  for (auto& [name, part] : parts) files.push_back(std::move(part));
  return files;
}

std::vector<FileOfTensors> ByShards(const std::filesystem::path& path, std::uint64_t limit,
                                    std::vector<OutputTensor> tensors) {
  std::ranges::sort(tensors, {}, &OutputTensor::name);
  std::vector<FileOfTensors> files(1);
  std::uint64_t filled = 0;
  for (OutputTensor& tensor : tensors) {
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

void LayOutFile(Plan& plan, std::uint32_t output, const FileOfTensors& file,
                const std::optional<Metadata>& metadata) {
  std::vector<TensorSpec> specs;
  std::map<std::string_view, const OutputTensor*> by_name;
  for (const OutputTensor& tensor : file.tensors) {
    specs.push_back({tensor.name, tensor.info});
    by_name[tensor.name] = &tensor;
  }
  const auto number = static_cast<std::uint32_t>(plan.output_files.size());
  SafetensorsLayout layout = LayOut(std::move(specs), metadata, kAlignment);
  for (const SafetensorsEntry& entry : layout.tensors) {
    const OutputTensor& tensor = *by_name.at(entry.name);
    Product& product = plan.tasks[tensor.task].products[tensor.product];
    product.file = number;
    product.offset = layout.data_start + entry.begin;
  }
  plan.bytes_to_write += layout.file_size;
  plan.outputs[output].files.push_back(number);
  plan.output_files.push_back({file.path, std::move(layout), output});
}

}  // namespace

DType OutputDType(const OutputSpec& spec, const TensorPlace& place, const ModelTensor& leading) {
  const DType stored = leading.stored->info.dtype;
  const bool computable = leading.anatomy->role == Role::kWeight && Info(stored).has_codec;
  if (!computable || spec.dtype.empty()) return stored;
  const DType wanted = spec.dtype.Find(place).value_or(std::nullopt).value_or(stored);
  const bool kept = leading.anatomy->keep_precision && !NamedByRegex(spec, place);
  return IsFp8(wanted) && kept ? stored : wanted;
}

std::string OutputName(const ModelTensor& tensor, bool leftmost, bool bare_layout,
                       bool one_component, const std::string& canonical) {
  if (bare_layout && !one_component) return canonical;
  if (leftmost) return tensor.stored->name;
  return bare_layout ? tensor.anatomy->local : canonical;
}

void PlaceInFiles(Plan& plan, std::uint32_t output, std::vector<OutputTensor> tensors) {
  OutputPlan& placed = plan.outputs[output];
  const OutputSpec& spec = placed.spec;
  std::vector<FileOfTensors> files;
  if (spec.split) {
    files = ByComponent(spec, std::move(tensors));
  } else if (spec.max_shard_size) {
    files = ByShards(spec.path, *spec.max_shard_size, std::move(tensors));
    if (files.size() > 1) {
      placed.index = spec.path.parent_path() / (spec.path.filename().string() + ".index.json");
    }
  } else {
    files.push_back({spec.path, std::move(tensors)});
  }
  const std::optional<Metadata> metadata =
      spec.metadata ? spec.metadata(BlankDigests(plan)) : std::nullopt;
  for (const FileOfTensors& file : files) LayOutFile(plan, output, file, metadata);
}

}  // namespace weightsmith
