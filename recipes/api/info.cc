#include <weightsmith/info.h>

#include <utility>

#include "recipes/api/guarded.h"
#include "recipes/jobs/checkpoint_info.h"

namespace weightsmith {
namespace {

ComponentInfo ComponentOf(const internal::ComponentAnatomy& component) {
  return {.tensors = component.tensors,
          .parameters = component.parameters,
          .bytes = component.bytes,
          .dtypes = component.dtypes,
          .complete = component.complete,
          .missing = component.missing,
          .extra = component.extra};
}

std::map<std::string, std::uint64_t> CountsOf(const internal::AdapterInfo::Counts& counts) {
  return {counts.begin(), counts.end()};
}

AdapterSummary SummaryOf(const internal::AdapterInfo& adapter) {
  AdapterSummary summary{.modules = adapter.adapter->modules.size(),
                         .families = CountsOf(adapter.families),
                         .namings = CountsOf(adapter.namings),
                         .components = CountsOf(adapter.components),
                         .ranks = CountsOf(adapter.ranks),
                         .alphas = CountsOf(adapter.alphas),
                         .dora = adapter.dora,
                         .architectures = {},
                         .modules_of_architecture = adapter.made_for.modules};
  for (const internal::Architecture* architecture : adapter.made_for.architectures) {
    summary.architectures.emplace_back(architecture->id);
  }
  return summary;
}

TensorEntry EntryOf(const internal::CheckpointTensor& tensor, const internal::TensorAnatomy& told,
                    const internal::Anatomy& anatomy) {
  return {.name = tensor.name,
          .dtype = tensor.info.dtype,
          .shape = tensor.info.shape,
          .component = anatomy.components[told.component].name,
          .canonical = told.canonical,
          .role = std::string(internal::ToString(told.role))};
}

CheckpointInfo InfoOf(const internal::CheckpointInfo& read, bool tensors) {
  const internal::Checkpoint& checkpoint = *read.checkpoint;
  const internal::Anatomy& anatomy = read.anatomy;
  CheckpointInfo info{.path = read.path,
                      .format = std::string(internal::ToString(checkpoint.format())),
                      .files = checkpoint.files().size(),
                      .bytes = checkpoint.size(),
                      .architecture = anatomy.id,
                      .variant = anatomy.variant,
                      .scale = anatomy.scale,
                      .layout = anatomy.layout,
                      .prediction = std::string(internal::ToString(anatomy.prediction)),
                      .distilled = {},
                      .components = {},
                      .tensors = checkpoint.tensors().size(),
                      .parameters = internal::Parameters(anatomy),
                      .dtypes = internal::DTypes(anatomy),
                      .markers = anatomy.markers,
                      .quantization = anatomy.quantization,
                      .damage = anatomy.damage,
                      .code = internal::Code(read),
                      .metadata = checkpoint.metadata().value_or(internal::Metadata()),
                      .adapter = {},
                      .entries = {}};
  if (anatomy.distilled) info.distilled = {anatomy.distilled->kind, anatomy.distilled->by};
  for (const auto& component : anatomy.components) {
    info.components[component.name] = ComponentOf(component);
  }
  if (read.adapter) info.adapter = SummaryOf(*read.adapter);
  for (std::size_t i = 0; tensors && i < anatomy.tensors.size(); ++i) {
    info.entries.push_back(EntryOf(checkpoint.tensors()[i], anatomy.tensors[i], anatomy));
  }
  return info;
}

}  // namespace

CheckpointInfo ReadInfo(const std::filesystem::path& path, const InfoOptions& options) {
  return internal::Guarded(
      [&] { return InfoOf(internal::ReadInfo(path.string(), options.key), options.tensors); });
}

}  // namespace weightsmith
