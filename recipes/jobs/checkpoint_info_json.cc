#include "recipes/jobs/checkpoint_info_json.h"

#include <optional>
#include <utility>
#include <vector>

#include "recipes/jobs/adapter_info_json-inl.h"
#include "recipes/jobs/record-inl.h"
#include "recipes/jobs/result_values-inl.h"

namespace weightsmith::internal {
namespace {

struct InfoRequest {
  const CheckpointInfo* info;
  bool tensors;
};

struct TensorEntry {
  const Anatomy* anatomy;
  const CheckpointTensor* tensor;
  const TensorAnatomy* place;
};

const CheckpointInfo& RequestedInfo(const InfoRequest& request) {
  return *request.info;
}

using CountsOfDTypes = std::vector<std::pair<std::string_view, std::uint64_t>>;

CountsOfDTypes ByName(const std::map<DType, std::uint64_t>& dtypes) {
  CountsOfDTypes counts;
  for (const auto& [dtype, tensors] : dtypes) counts.emplace_back(Info(dtype).name, tensors);
  return counts;
}

std::vector<std::pair<std::string_view, const ComponentAnatomy*>> Components(
    const Anatomy& anatomy) {
  std::vector<std::pair<std::string_view, const ComponentAnatomy*>> components;
  for (const ComponentAnatomy& component : anatomy.components) {
    components.emplace_back(component.name, &component);
  }
  return components;
}

std::optional<std::vector<TensorEntry>> Entries(const InfoRequest& request) {
  if (!request.tensors) return std::nullopt;
  const Anatomy& anatomy = request.info->anatomy;
  std::vector<TensorEntry> entries;
  for (std::size_t i = 0; i < anatomy.tensors.size(); ++i) {
    entries.push_back({&anatomy, &request.info->checkpoint->tensors()[i], &anatomy.tensors[i]});
  }
  return entries;
}

}  // namespace

template <>
const Record<ComponentAnatomy>& RecordOf() {
  static const Record<ComponentAnatomy> record = {
      "ComponentInfo",
      "A component of a checkpoint.",
      {{"tensors", &ComponentAnatomy::tensors, "Tensors of it."},
       {"parameters", &ComponentAnatomy::parameters, "Elements of floating dtype."},
       {"bytes", &ComponentAnatomy::bytes, "Bytes of its tensors."},
       {"dtypes", Through(&ComponentAnatomy::dtypes, ByName), "Tensors of each dtype."},
       {"complete", &ComponentAnatomy::complete, "Nothing is missing."},
       {"missing", &ComponentAnatomy::missing,
        "Canonical names that the architecture has and the file lacks."},
       {"extra", &ComponentAnatomy::extra, "Names that the file has and the architecture lacks."}}};
  return record;
}

template <>
const Record<Distilled>& RecordOf() {
  static const Record<Distilled> record = {
      "Distilled",
      "How a model was distilled, and what tells so.",
      {{"kind", &Distilled::kind, "Such as \"turbo\", \"lightning\", \"lcm\", \"schnell\"."},
       {"by", &Distilled::by, "A tensor, or a key of the metadata."}}};
  return record;
}

template <>
const Record<TensorEntry>& RecordOf() {
  const auto tensor = [](auto member) { return Through(&TensorEntry::tensor, member); };
  const auto info = [tensor](auto member) {
    return Through(tensor(&CheckpointTensor::info), member);
  };
  const auto place = [](auto member) { return Through(&TensorEntry::place, member); };
  static const Record<TensorEntry> record = {
      "TensorInfo",
      "A tensor as `info(path, tensors=True)` lists it.",
      {{"name", tensor(&CheckpointTensor::name), "In the file."},
       {"dtype", info([](const TensorInfo& of) { return Info(of.dtype).name; }), "As stored."},
       {"shape", info(&TensorInfo::shape), "As stored."},
       {"component",
        [](const TensorEntry& entry) {
          return entry.anatomy->components[entry.place->component].name;
        },
        "The component that it is of."},
       {"canonical", place(&TensorAnatomy::canonical),
        "Its name in a monolithic file of the architecture."},
       {"role", place(&TensorAnatomy::role),
        "What it is: \"weight\", \"position_ids\", \"ema\" …"}}};
  return record;
}

template <>
const Record<InfoRequest>& RecordOf() {
  const auto info = [](auto member) { return Through(RequestedInfo, member); };
  const auto file = [info](auto member) {
    return Through(info(&CheckpointInfo::checkpoint), member);
  };
  const auto anatomy = [info](auto member) {
    return Through(info(&CheckpointInfo::anatomy), member);
  };
  static const Record<InfoRequest> record = {
      "Info",
      "What a checkpoint is.",
      {{"path", info(&CheckpointInfo::path), "As it was given."},
       {"format", file(&Checkpoint::format),
        "By its content: \"safetensors\", \"sharded\", \"torch-zip\" or \"torch-legacy\"."},
       {"files", file([](const auto& of) { return of->files().size(); }),
        "How many files it is: 1, or its shards."},
       {"bytes", file(&Checkpoint::size), "Of all files."},
       {"architecture", anatomy(&Anatomy::id),
        "Such as \"sd1\", \"sdxl\" and \"flux1\"; of a component alone its name; or \"unknown\"."},
       {"variant", anatomy(&Anatomy::variant), "Such as \"base\", \"inpainting\", \"dev\"."},
       {"scale", anatomy(&Anatomy::scale), "Of its sizes: \"full\", or \"tiny\" in tests."},
       {"layout", anatomy(&Anatomy::layout),
        "How tensors are named: \"ldm\", \"sgm\", \"comfy\", \"bfl\", \"component\", \"hf\" …"},
       {"prediction", anatomy(&Anatomy::prediction),
        "What the model predicts: \"epsilon\", \"v\", \"flow\" or \"unknown\"."},
       {"distilled", anatomy(&Anatomy::distilled),
        "How it was made to draw in a few steps; null where it was not."},
       {"components", anatomy(Components), "By name."},
       {"tensors", file([](const auto& of) { return of->tensors().size(); }), "Tensors in it."},
       {"parameters", anatomy(Parameters), "Elements of floating dtype."},
       {"dtypes", anatomy([](const Anatomy& of) { return ByName(DTypes(of)); }),
        "Tensors of each dtype."},
       {"markers", anatomy(&Anatomy::markers), "Such as \"v_pred\" and \"ztsnr\"."},
       {"quantization", anatomy(&Anatomy::quantization),
        "Schemes of quantised weights that were recognised."},
       {"damage", anatomy(&Anatomy::damage), "What is known to be broken, a sentence each."},
       {"code", info(Code), "What loading it with Python would call beside what makes tensors."},
       {"metadata", file([](const auto& of) { return of->metadata().value_or(Metadata()); }),
        "Of the header."},
       {"adapter", info(&CheckpointInfo::adapter),
        "What it is as a LoRA or another adapter; null where it is none."},
       {"entries", Entries, "Every tensor, where that was asked for.", kOptional}}};
  return record;
}

Json InfoValue(const CheckpointInfo& info, bool tensors) {
  return JsonValue<InfoRequest>::Write({&info, tensors});
}

std::string InfoJson(const CheckpointInfo& info, bool tensors) {
  return ToText(InfoValue(info, tensors));
}

std::string InfoJson(std::span<const CheckpointInfo> infos, bool tensors) {
  std::vector<InfoRequest> all;
  for (const CheckpointInfo& info : infos) all.push_back({&info, tensors});
  return JsonText(all);
}

std::string InfoSchema() {
  return ToLine(OneOrSeveral("checkpoint", JsonValue<InfoRequest>::Schema()));
}

}  // namespace weightsmith::internal
