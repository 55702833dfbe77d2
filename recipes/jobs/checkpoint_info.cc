#include "recipes/jobs/checkpoint_info.h"

#include "core/formats/torch/globals.h"
#include "core/model/views/canonical_view.h"
#include "recipes/jobs/adapter_info_json-inl.h"
#include "recipes/jobs/json-inl.h"

namespace weightsmith::internal {
namespace {

Json ToJson(const std::map<DType, std::uint64_t>& dtypes) {
  Json json = Json::object();
  for (const auto& [dtype, tensors] : dtypes) json[std::string(Info(dtype).name)] = tensors;
  return json;
}

Json ToJson(const ComponentAnatomy& component) {
  return {{"tensors", component.tensors},   {"parameters", component.parameters},
          {"bytes", component.bytes},       {"dtypes", ToJson(component.dtypes)},
          {"complete", component.complete}, {"missing", component.missing},
          {"extra", component.extra}};
}

Json ToJson(const CheckpointTensor& tensor, const TensorAnatomy& told, const Anatomy& anatomy) {
  return {{"name", tensor.name},         {"dtype", Info(tensor.info.dtype).name},
          {"shape", tensor.info.shape},  {"component", anatomy.components[told.component].name},
          {"canonical", told.canonical}, {"role", ToString(told.role)}};
}

Json ToJson(const CheckpointInfo& info, bool tensors) {
  const Anatomy& anatomy = info.anatomy;
  Json json = {{"path", info.path},
               {"format", ToString(info.checkpoint->format())},
               {"files", info.checkpoint->files().size()},
               {"bytes", info.checkpoint->size()},
               {"architecture", anatomy.id},
               {"variant", anatomy.variant},
               {"scale", anatomy.scale},
               {"layout", anatomy.layout},
               {"prediction", ToString(anatomy.prediction)}};
  json["distilled"] = nullptr;
  if (const auto& distilled = anatomy.distilled) {
    json["distilled"] = {{"kind", distilled->kind}, {"by", distilled->by}};
  }
  json["components"] = Json::object();
  for (const ComponentAnatomy& component : anatomy.components) {
    json["components"][component.name] = ToJson(component);
  }
  json["tensors"] = info.checkpoint->tensors().size();
  json["parameters"] = Parameters(anatomy);
  json["dtypes"] = ToJson(DTypes(anatomy));
  json["markers"] = anatomy.markers;
  json["quantization"] = anatomy.quantization;
  json["damage"] = anatomy.damage;
  json["code"] = Code(info);
  json["metadata"] = info.checkpoint->metadata().value_or(Metadata());
  json["adapter"] = info.adapter ? SummaryJson(*info.adapter) : Json();
  if (tensors) {
    json["entries"] = Json::array();
    for (std::size_t i = 0; i < anatomy.tensors.size(); ++i) {
      json["entries"].push_back(ToJson(info.checkpoint->tensors()[i], anatomy.tensors[i], anatomy));
    }
  }
  return json;
}

}  // namespace

CheckpointInfo ReadInfo(const std::string& path, const std::string& key) {
  const auto own = Checkpoint::Open(path, std::nullopt, key);
  const auto checkpoint = CanonicalView(own);
  CheckpointInfo info{path, checkpoint, Examine(*checkpoint), own->tensors().size()};
  if (info.anatomy.architecture == nullptr && info.anatomy.part == nullptr) {
    info.adapter = FindAdapter(checkpoint);
  }
  return info;
}

std::uint64_t Parameters(const Anatomy& anatomy) {
  std::uint64_t sum = 0;
  for (const ComponentAnatomy& component : anatomy.components) sum += component.parameters;
  return sum;
}

std::map<DType, std::uint64_t> DTypes(const Anatomy& anatomy) {
  std::map<DType, std::uint64_t> sum;
  for (const ComponentAnatomy& component : anatomy.components) {
    for (const auto& [dtype, tensors] : component.dtypes) sum[dtype] += tensors;
  }
  return sum;
}

std::vector<std::string> Code(const CheckpointInfo& info) {
  std::vector<std::string> code;
  for (const std::string& name : info.checkpoint->globals()) {
    if (ClassifyGlobal(name) != GlobalSafety::kSafe) code.push_back(name);
  }
  return code;
}

std::string InfoJson(const CheckpointInfo& info, bool tensors) {
  return ToText(ToJson(info, tensors));
}

std::string InfoJson(std::span<const CheckpointInfo> infos, bool tensors) {
  Json all = Json::array();
  for (const CheckpointInfo& info : infos) all.push_back(ToJson(info, tensors));
  return ToText(all);
}

}  // namespace weightsmith::internal
