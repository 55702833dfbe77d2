#include "merge/adapters/alias_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "core/model/naming.h"
#include "core/model/text_encoders.h"
#include "core/model/views/component_views.h"
#include "merge/adapters/trainer_names.h"

namespace weightsmith::internal {
namespace {

enum class Parameter : bool { kWeight, kBias };

struct Named {
  std::string module;
  Parameter parameter;
  bool raw = false;  ///< no part of a module
};

/// The module of a tensor's name. Raw parameters are modules by themselves.
Named ModuleOf(std::string_view name) {
  struct NameEnd {
    std::string_view text;
    Parameter parameter;
  };
  constexpr NameEnd kNameEnds[] = {{".weight", Parameter::kWeight},
                                   {".bias", Parameter::kBias},
                                   {".scale", Parameter::kWeight},
                                   {"_weight", Parameter::kWeight},
                                   {"_bias", Parameter::kBias}};
  for (const NameEnd& ending : kNameEnds) {
    if (!name.ends_with(ending.text)) continue;
    return {std::string(name.substr(0, name.size() - ending.text.size())), ending.parameter};
  }
  return {std::string(name), Parameter::kWeight, true};
}

/// The modules of a component in one naming.
using Modules = std::map<std::string, AliasedModule>;

void Add(Modules& modules, std::string_view name, AliasPiece piece) {
  Named named = ModuleOf(name);
  AliasedModule& module = modules[std::move(named.module)];
  (named.parameter == Parameter::kBias ? module.bias : module.weight).push_back(piece);
}

/// Components, their tensors by component, and the names of both.
class TableMaker {
 public:
  TableMaker(std::span<const AliasedTensor> tensors, std::span<const ComponentRule> rules)
      : rules_(rules) {
    for (const AliasedTensor& tensor : tensors) components_[tensor.component].push_back(&tensor);
  }

  void Run() {
    const auto encoders = std::ranges::count_if(components_, [](const auto& component) {
      return component.second.front()->kind == ComponentKind::kText;
    });
    for (const auto& [name, tensors] : components_) {
      const ComponentKind kind = tensors.front()->kind;
      if (kind == ComponentKind::kVae) continue;
      const bool text = kind == ComponentKind::kText;
      ModulePrefixes prefixes =
          text ? PrefixesOfText(name, NumberOf(name), encoders == 1) : PrefixesOfDiffusion();
      // An only encoder that is the second by its declaration, as in the model that this one goes
      // with, is the first to others.
      if (text && NumberOf(name) != 1 && DeclaresOneEncoder()) {
        prefixes.dotted.push_back(TextEncoderFolder(1) + ".");
      }
      if (const ComponentRule* const rule = RuleOf(name)) {
        const AdapterPrefixes& more = rule->adapters;
        prefixes.dotted.insert(prefixes.dotted.end(), more.dotted.begin(), more.dotted.end());
        prefixes.flat.insert(prefixes.flat.end(), more.flat.begin(), more.flat.end());
      }
      AddComponent(name, prefixes);
    }
  }

  std::unordered_map<std::string, AliasedModule> modules;
  std::set<std::string> ambiguous;

 private:
  using Tensors = std::vector<const AliasedTensor*>;

  bool DeclaresOneEncoder() const {
    return std::ranges::count(rules_, ComponentKind::kText, &ComponentRule::kind) == 1;
  }

  /// Among the architecture's encoders, whether the model has the others or not.
  std::uint32_t NumberOf(std::string_view name) const {
    return std::max(1u, TextEncoderNumber(rules_, name));
  }

  /// Null where the component is of no declaration.
  const ComponentRule* RuleOf(std::string_view name) const {
    const auto rule = std::ranges::find(rules_, name, &ComponentRule::name);
    return rule == rules_.end() ? nullptr : &*rule;
  }

  void AddComponent(const std::string& name, const ModulePrefixes& prefixes) {
    const ComponentRule* const rule = RuleOf(name);
    const Naming* const naming = rule == nullptr ? nullptr : NamingOf(*rule);
    std::unordered_map<std::string_view, const TensorRule*> declared;
    if (naming != nullptr) {
      for (const TensorRule& tensor : rule->tensors) declared.emplace(tensor.name, &tensor);
    }
    Modules ours;
    Modules theirs;
    std::set<std::string> raw;  // parameters that stand by themselves
    for (const AliasedTensor* tensor : components_.at(name)) {
      Add(ours, tensor->local, {.tensor = tensor->number});
      if (ModuleOf(tensor->local).raw) raw.insert(tensor->local);
      const auto known = declared.find(tensor->local);
      if (known == declared.end()) continue;
      for (const Placement& placement : PlaceIn(*naming, *known->second, *rule)) {
        Add(theirs, placement.name, {tensor->number, placement.rows, placement.transposed});
      }
    }
    // What is a raw parameter here may be a module in the other naming, which holds it transposed.
    std::erase_if(ours, [&](const auto& item) {
      return raw.contains(item.first) && theirs.contains(item.first);
    });
    for (const Modules* modules_in : {&ours, &theirs}) {
      for (const auto& [module, target] : *modules_in) AddAliases(module, target, prefixes);
    }
    AddParts(ours, theirs, prefixes);
  }

  /// Some trainers number the parts of a fused matrix: "qkv.0", "linear1.3".
  void AddParts(const Modules& ours, const Modules& theirs, const ModulePrefixes& prefixes) {
    std::map<std::uint32_t, std::vector<const AliasedModule*>> parts;
    for (const auto& [module, target] : theirs) {
      if (target.weight.size() == 1 && !target.weight.front().rows.all()) {
        parts[target.weight.front().tensor].push_back(&target);
      }
    }
    for (const auto& [module, target] : ours) {
      if (target.weight.size() != 1) continue;
      const auto found = parts.find(target.weight.front().tensor);
      if (found == parts.end()) continue;
      std::ranges::sort(found->second, {},
                        [](const AliasedModule* part) { return part->weight.front().rows.ours; });
      for (std::size_t i = 0; i < found->second.size(); ++i) {
        AddAliases(fmt::format("{}.{}", module, i), *found->second[i], prefixes);
      }
      AddFirstParts(module, found->second, prefixes);
    }
  }

  /// Names that mean the first parts of a fused matrix alone.
  void AddFirstParts(const std::string& module, std::span<const AliasedModule* const> parts,
                     const ModulePrefixes& prefixes) {
    for (const OtherName& other : OtherNamesOf(module)) {
      if (other.parts == 0 || other.parts >= parts.size()) continue;
      AliasPiece piece = parts.front()->weight.front();
      piece.rows.count = parts[other.parts]->weight.front().rows.ours;
      AddName(other.path, {{piece}, {}}, prefixes);
    }
  }

  void AddAliases(const std::string& module, const AliasedModule& target,
                  const ModulePrefixes& prefixes) {
    AddName(module, target, prefixes);
    for (OtherName& other : OtherNamesOf(module)) {
      if (other.parts != 0) continue;
      if (other.whole) {
        Put(std::move(other.path), target);
      } else {
        AddName(other.path, target, prefixes);
      }
    }
  }

  void AddName(const std::string& module, const AliasedModule& target,
               const ModulePrefixes& prefixes) {
    for (const std::string& prefix : prefixes.dotted) Put(prefix + module, target);
    const std::string flat = FlatName(module);
    const std::size_t dot = module.rfind('.');
    const bool is_numbered = dot != std::string::npos && dot + 2 == module.size();
    for (const std::string& prefix : prefixes.flat) {
      Put(prefix + flat, target);
      // The number of a part stands behind a dot there as well.
      if (is_numbered) {
        std::string numbered = flat;
        numbered[dot] = '.';
        Put(prefix + numbered, target);
      }
    }
  }

  void Put(std::string alias, const AliasedModule& target) {
    const auto [at, added] = modules.try_emplace(std::move(alias), target);
    if (!added && !(at->second == target)) ambiguous.insert(at->first);
  }

  std::span<const ComponentRule> rules_;
  std::map<std::string, Tensors> components_;
};

/// The oddities that files have: wrappers that are left in, underscores too many.
std::optional<std::string> Tidied(std::string_view stem) {
  std::string_view rest = stem;
  for (const std::string_view wrapper : {"module.", "_orig_mod.", "lora."}) {
    while (rest.starts_with(wrapper)) rest.remove_prefix(wrapper.size());
  }
  constexpr std::string_view kInside = "_orig_mod.";
  std::string unwrapped;
  for (const char c : rest) {
    unwrapped += c;
    if (unwrapped.ends_with(kInside)) unwrapped.resize(unwrapped.size() - kInside.size());
  }
  std::string tidy;
  for (const char c : unwrapped) {
    if (c != '_' || !tidy.ends_with('_')) tidy += c;
  }
  if (tidy.ends_with('_')) tidy.pop_back();
  if (tidy == stem) return std::nullopt;
  return tidy;
}

}  // namespace

std::string FlatName(std::string_view path) {
  std::string flat(path);
  std::ranges::replace(flat, '.', '_');
  return flat;
}

AliasTable::AliasTable(const Anatomy& anatomy, std::span<const CheckpointTensor> tensors) {
  std::vector<AliasedTensor> weights;
  for (std::uint32_t i = 0; i < tensors.size(); ++i) {
    const TensorAnatomy& told = anatomy.tensors[i];
    const ComponentAnatomy& component = anatomy.components[told.component];
    if (told.role != Role::kWeight) continue;
    weights.push_back({component.name, component.kind, told.local, i});
  }
  *this = AliasTable(weights, ComponentRules(anatomy));
}

AliasTable::AliasTable(std::span<const AliasedTensor> tensors,
                       std::span<const ComponentRule> rules) {
  TableMaker maker(tensors, rules);
  maker.Run();
  modules_ = std::move(maker.modules);
  for (const std::string& alias : maker.ambiguous) {
    modules_.erase(alias);
    ambiguous_.push_back(alias);
  }
}

const AliasedModule* AliasTable::Find(std::string_view stem) const {
  const auto found = modules_.find(std::string(stem));
  if (found != modules_.end()) return &found->second;
  const std::optional<std::string> tidy = Tidied(stem);
  if (!tidy) return nullptr;
  const auto again = modules_.find(*tidy);
  return again == modules_.end() ? nullptr : &again->second;
}

}  // namespace weightsmith::internal
