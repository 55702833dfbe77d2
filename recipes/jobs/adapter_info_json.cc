#include <optional>
#include <vector>

#include "recipes/jobs/adapter_info_json-inl.h"

namespace weightsmith::internal {
namespace {

/// Every module of it.
struct AdapterInFull {
  const std::string* path;
  const AdapterInfo* info;
};

const AdapterInfo& AdapterInfoOf(const AdapterInFull& adapter) {
  return *adapter.info;
}
const Adapter& AdapterOf(const AdapterInFull& adapter) {
  return *adapter.info->adapter;
}

std::vector<std::string_view> ArchitectureIds(const AdapterInfo& info) {
  std::vector<std::string_view> ids;
  for (const Architecture* architecture : info.made_for.architectures) {
    ids.push_back(architecture->id);
  }
  return ids;
}

std::vector<std::string_view> PlainTensors(const Adapter& adapter) {
  std::vector<std::string_view> names;
  for (const AdapterModule& tensor : adapter.plain) names.emplace_back(tensor.stem);
  return names;
}

std::optional<std::uint64_t> RankOfModule(const AdapterModule& module) {
  return module.rank > 0 ? std::optional(module.rank) : std::nullopt;
}

std::optional<std::string> Problem(const AdapterModule& module) {
  return module.problem.empty() ? std::nullopt : std::optional(module.problem);
}

}  // namespace

template <>
const Record<AdapterInfo>& RecordOf() {
  const auto made_for = [](auto member) { return Through(&AdapterInfo::made_for, member); };
  static const Record<AdapterInfo> record = {
      "AdapterSummary",
      "Of a LoRA or another adapter: modules by what they are, and the architectures whose widths "
      "it has.",
      {{"modules", [](const AdapterInfo& info) { return info.adapter->modules.size(); },
        "How many it has."},
       {"families", &AdapterInfo::families, "Modules of each family: \"lora\", \"loha\" …"},
       {"namings", &AdapterInfo::namings, "By whose names: \"kohya\", \"peft\" …"},
       {"components", &AdapterInfo::components, "By the component that their names say."},
       {"ranks", &AdapterInfo::ranks, "By rank."},
       {"alphas", &AdapterInfo::alphas, "By alpha; \"none\" where none is stored."},
       {"dora", &AdapterInfo::dora, "Modules with magnitudes (DoRA)."},
       {"architectures", ArchitectureIds, "That it was made for."},
       {"modules_of_architecture", made_for(&MadeFor::modules), "Modules that these have."}}};
  return record;
}

template <>
const Record<AdapterModule>& RecordOf() {
  static const Record<AdapterModule> record = {
      "AdapterModule",
      "What changes one weight of a model.",
      {{"stem", &AdapterModule::stem, "Its name in the file."},
       {"component",
        [](const AdapterModule& module) { return StemNamingOf(module.stem).component; },
        "That the name says; empty: none."},
       {"family", Through(&AdapterModule::family, &AdapterFamily::id),
        "Such as \"lora\", \"loha\"."},
       {"dora", &AdapterModule::dora, "It has magnitudes (DoRA)."},
       {"rank", RankOfModule, "Null where the family has none."},
       {"alpha", &AdapterModule::alpha, "Null where none is stored."},
       {"scale", &AdapterModule::scale, "What its product is multiplied by, from alpha."},
       {"problem", Problem, "Why it cannot be applied; null: it can."},
       {"tensors", &AdapterModule::shapes, "Shapes by role."}}};
  return record;
}

template <>
const Record<IgnoredTensor>& RecordOf() {
  static const Record<IgnoredTensor> record = {
      "IgnoredTensor",
      "A tensor that changes no weight.",
      {{"name", &IgnoredTensor::name, "In the file."}, {"reason", &IgnoredTensor::reason, "Why."}}};
  return record;
}

template <>
const Record<AdapterInFull>& RecordOf() {
  const auto info = [](auto member) { return Through(AdapterInfoOf, member); };
  const auto adapter = [](auto member) { return Through(AdapterOf, member); };
  static const Record<AdapterInFull> record = {
      "Adapter",
      "What is in a LoRA or another adapter.",
      {{"path", [](const AdapterInFull& each) { return *each.path; }, "As it was given."},
       {"architectures", info(ArchitectureIds), "That it was made for."},
       {"families", info(&AdapterInfo::families), "Modules of each family: \"lora\", \"loha\" …"},
       {"namings", info(&AdapterInfo::namings), "By whose names: \"kohya\", \"peft\" …"},
       {"components", info(&AdapterInfo::components), "By the component that their names say."},
       {"adapters", adapter(&Adapter::names), "Names of PEFT's adapters in the file."},
       {"frequent_tags", info(FrequentTags), "Tags of the training's captions, used most."},
       {"modules_of_architecture", Through(info(&AdapterInfo::made_for), &MadeFor::modules),
        "Modules that the architectures have."},
       {"modules_by_block", info(ModulesByBlock), "By component and block: \"unet.in.4\"."},
       {"modules", adapter(&Adapter::modules), "By stem."},
       {"ignored", adapter(&Adapter::ignored), "Tensors that change no weight."},
       {"plain", adapter(PlainTensors), "Tensors that stand in the place of the model's."},
       {"warnings", adapter(&Adapter::warnings), "What may be wrong."},
       {"metadata",
        info([](const AdapterInfo& of) { return of.checkpoint->metadata().value_or(Metadata()); }),
        "Of the header."}}};
  return record;
}

std::string AdapterInfoJson(const std::string& path, const AdapterInfo& info) {
  return JsonText(AdapterInFull{&path, &info});
}

std::string AdapterInfoSchema() {
  return ToLine(OneOrSeveral("adapter", JsonValue<AdapterInFull>::Schema()));
}

}  // namespace weightsmith::internal
