#include "recipes/jobs/adapters_json-inl.h"

#include <optional>
#include <string>

#include "recipes/jobs/effect_json-inl.h"

namespace weightsmith::internal {
namespace {

const AdapterModule& ModuleOf(const PlacedModule& placed) {
  return *placed.applied->part.module;
}

std::optional<std::uint64_t> ModuleRank(const PlacedModule& placed) {
  const std::uint64_t rank = ModuleOf(placed).rank;
  return rank > 0 ? std::optional(rank) : std::nullopt;
}

std::optional<double> Alpha(const PlacedModule& placed) {
  const auto& alpha = ModuleOf(placed).alpha;
  return alpha ? IfFinite(*alpha) : std::nullopt;
}

PlacedModule ModuleAt(const AdapterOutcome<PlacedModule>& adapter, std::size_t index) {
  return {adapter.plan, &adapter.plan->applied[index]};
}
ChangingModule ModuleAt(const AdapterOutcome<ChangingModule>& adapter, std::size_t index) {
  return {{adapter.plan, &adapter.plan->applied[index]}, &adapter.report->applied[index]};
}

template <class Module>
std::vector<Module> Applied(const AdapterOutcome<Module>& adapter) {
  std::vector<Module> modules;
  for (std::size_t i = 0; i < adapter.plan->applied.size(); ++i) {
    if (adapter.plan->applied[i].model == adapter.model) modules.push_back(ModuleAt(adapter, i));
  }
  return modules;
}

struct ModulesElsewhere {
  const AdapterClasses::Group* group;
};
struct ModulesLeftOut {
  const AdapterClasses::Group* group;
};

template <class Modules>
std::vector<Modules> Groups(const std::vector<AdapterClasses::Group>& groups) {
  std::vector<Modules> all;
  for (const AdapterClasses::Group& group : groups) all.push_back({&group});
  return all;
}

}  // namespace

template <>
const Record<RowMap>& RecordOf() {
  static const Record<RowMap> record = {
      "RowRange",
      "Rows of a tensor, and the first row of the module's that goes there.",
      {{"first", &RowMap::ours, "The first of the tensor's rows."},
       {"count", &RowMap::count, "How many there are."},
       {"of", &RowMap::theirs, "The first of the module's."}}};
  return record;
}

template <>
const Record<PlacedModule>& RecordOf() {
  const auto module = [](auto member) { return Through(ModuleOf, member); };
  const auto applied = [](auto member) { return Through(&PlacedModule::applied, member); };
  const auto part = [applied](auto member) {
    return Through(applied(&AppliedModule::part), member);
  };
  static const Record<PlacedModule> record = {
      "AppliedModule",
      "A module of an adapter on a tensor; with numbers of its effect in a report.",
      {{"module", module(&AdapterModule::stem), "Its name in the adapter."},
       {"tensor", applied(&AppliedModule::tensor), "The canonical name of the tensor."},
       {"rows", part(&AdapterPart::rows), "Rows of the tensor that it changes."},
       {"transposed", part(&AdapterPart::transposed), "Its matrix is the tensor's transposed."},
       {"family", Through(module(&AdapterModule::family), &AdapterFamily::id),
        "Such as \"lora\", \"loha\", \"lokr\"."},
       {"dora", module(&AdapterModule::dora), "It has magnitudes (DoRA)."},
       {"rank", ModuleRank, "Null where the family has none."},
       {"alpha", Alpha, "Null where none is stored."},
       {"scale", module(&AdapterModule::scale), "What its product is multiplied by, from alpha."},
       {"strength", applied(&AppliedModule::strength), "The recipe's, at its place."},
       {"step",
        [](const PlacedModule& placed) { return placed.plan->steps[placed.applied->step].name; },
        "The step that applies it."}}};
  return record;
}

template <>
const Record<ChangingModule>& RecordOf() {
  const auto effect = [](auto member) { return Through(&ChangingModule::effect, member); };
  static const Record<ChangingModule> record = {
      "AppliedModule",
      "A module of an adapter on a tensor; with numbers of its effect in a report.",
      {Inline(&ChangingModule::placed),
       {"elements", effect(&Effect::elements), "Elements that it is for."},
       {"elements_changed", effect(&Effect::changed), "Those that it changed, before rounding."},
       {"elements_changed_after_rounding", effect(&Effect::rounded),
        "Those that differ in the output's dtype."},
       {"change_norm", [](const ChangingModule& module) { return ChangeNorm(*module.effect); },
        "Norm of the change; null where it is not finite."},
       {"relative_change",
        [](const ChangingModule& module) { return RelativeChange(*module.effect); },
        "The same as a share of the tensor's norm."}}};
  return record;
}

template <>
const Record<ModulesElsewhere>& RecordOf() {
  const auto group = [](auto member) { return Through(&ModulesElsewhere::group, member); };
  static const Record<ModulesElsewhere> record = {
      "ModulesElsewhere",
      "Modules of an adapter that are for a component which the model does not carry.",
      {{"component", group(&AdapterClasses::Group::why), "The component."},
       {"modules", group(&AdapterClasses::Group::stems), "Their names."}}};
  return record;
}

template <>
const Record<ModulesLeftOut>& RecordOf() {
  const auto group = [](auto member) { return Through(&ModulesLeftOut::group, member); };
  static const Record<ModulesLeftOut> record = {
      "ModulesLeftOut",
      "Modules of an adapter that do nothing, and why.",
      {{"reason", group(&AdapterClasses::Group::why), "Why."},
       {"modules", group(&AdapterClasses::Group::stems), "Their names, or those of tensors."}}};
  return record;
}

namespace {

template <class Module>
const Record<AdapterOutcome<Module>>& OutcomeRecord() {
  using Outcome = AdapterOutcome<Module>;
  const auto classes = [](const Outcome& adapter) -> const AdapterClasses& {
    return adapter.plan->adapters[adapter.model];
  };
  const auto left_out = [classes](auto member) {
    return Through(Through(classes, member), Groups<ModulesLeftOut>);
  };
  static const Record<Outcome> record = {
      "AdapterResult",
      "Where every module of an adapter goes.",
      {{"name", [](const Outcome& adapter) { return adapter.plan->models[adapter.model].name; },
        "The recipe's name of it."},
       {"path",
        [](const Outcome& adapter) {
          return adapter.plan->models[adapter.model].parts.front().checkpoint->path();
        },
        "The file or folder."},
       {"applied", Applied<Module>, "Modules that change a tensor, once for each tensor."},
       {"elsewhere",
        Through(Through(classes, &AdapterClasses::elsewhere), Groups<ModulesElsewhere>),
        "Modules for components that the model does not carry."},
       {"ignored", left_out(&AdapterClasses::ignored), "Tensors that change no weight."},
       {"unmatched", left_out(&AdapterClasses::unmatched),
        "Modules of no tensor of the model, where that was allowed."}}};
  return record;
}

}  // namespace

template <>
const Record<AdapterOutcome<PlacedModule>>& RecordOf() {
  return OutcomeRecord<PlacedModule>();
}

template <>
const Record<AdapterOutcome<ChangingModule>>& RecordOf() {
  return OutcomeRecord<ChangingModule>();
}

}  // namespace weightsmith::internal
