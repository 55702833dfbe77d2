#include "core/adapters/alias_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "core/anatomy/component_views.h"
#include "core/anatomy/layout.h"

namespace weightsmith {
namespace {

enum class Parameter : bool { kWeight, kBias };

struct Named {
  std::string module;
  Parameter parameter;
  bool raw = false;  ///< no part of a module
};

/// The module of a tensor's name. Raw parameters are modules by themselves.
Named ModuleOf(std::string_view name) {
  struct Ending {
    std::string_view text;
    Parameter parameter;
  };
  constexpr Ending kEndings[] = {{".weight", Parameter::kWeight},
                                 {".bias", Parameter::kBias},
                                 {".scale", Parameter::kWeight},
                                 {"_weight", Parameter::kWeight},
                                 {"_bias", Parameter::kBias}};
  for (const Ending& ending : kEndings) {
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

/// Beginnings that stand for a component, in front of a dotted path or a flattened one.
struct Beginnings {
  std::vector<std::string> dotted;
  std::vector<std::string> flat;
};

Beginnings OfDiffusion() {
  Beginnings beginnings;
  for (const char* wrapper :
       {"", "unet.", "transformer.", "diffusion_model.", "model.diffusion_model.", "lora_unet."}) {
    for (const char* peft : {"", "base_model.model."}) {
      beginnings.dotted.push_back(std::string(wrapper) + peft);
    }
  }
  beginnings.dotted.emplace_back("base_model.model.diffusion_model.");
  beginnings.flat = {"lora_unet_", "lycoris_", "lora_transformer_", "oft_unet_"};
  return beginnings;
}

/// `number`: 1, 2, 3 in the architecture's order; `alone`: the model has one encoder.
Beginnings OfText(const std::string& name, int number, bool alone) {
  Beginnings beginnings;
  const std::string folder =
      number == 1 ? "text_encoder." : fmt::format("text_encoder_{}.", number);
  for (const char* peft : {"", "base_model.model."}) beginnings.dotted.push_back(folder + peft);
  beginnings.dotted.push_back(fmt::format("text_encoders.{}.transformer.", name));
  beginnings.dotted.push_back(name + ".");
  beginnings.dotted.push_back(fmt::format("lora_te{}.", number));
  beginnings.flat = {fmt::format("lora_te{}_", number)};
  if (alone) beginnings.flat.emplace_back("lora_te_");
  if (name == "t5xxl") {
    // FLUX.1's is the second to some trainers and the third to others, as it is in SD 3.
    beginnings.flat = {"lora_te2_", "lora_te3_"};
    beginnings.dotted.emplace_back("t5.");
  }
  return beginnings;
}

class TableMaker {
 public:
  TableMaker(const Anatomy& anatomy, std::span<const CheckpointTensor> tensors)
      : anatomy_(anatomy), tensors_(tensors), rules_(ComponentRules(anatomy)) {}

  void Run() {
    int encoders = 0;
    for (const ComponentAnatomy& component : anatomy_.components) {
      encoders += component.kind == ComponentKind::kText ? 1 : 0;
    }
    for (std::uint32_t c = 0; c < anatomy_.components.size(); ++c) {
      const ComponentAnatomy& component = anatomy_.components[c];
      if (component.kind == ComponentKind::kVae) continue;
      const bool text = component.kind == ComponentKind::kText;
      AddComponent(c, text ? OfText(component.name, NumberOf(component.name), encoders == 1)
                           : OfDiffusion());
    }
  }

  std::unordered_map<std::string, AliasedModule> modules;
  std::set<std::string> ambiguous;

 private:
  /// Among the architecture's encoders, whether the file has the others or not.
  int NumberOf(std::string_view name) const {
    // The refiner has the second encoder of the base model, and no first.
    int number = anatomy_.id == "sdxl-refiner" ? 1 : 0;
    for (const ComponentRule& rule : rules_) {
      if (rule.kind == ComponentKind::kText) ++number;
      if (rule.name == name) return number;
    }
    return 1;
  }

  void AddComponent(std::uint32_t index, const Beginnings& beginnings) {
    const auto rule =
        std::ranges::find(rules_, anatomy_.components[index].name, &ComponentRule::name);
    const Layout* const layout = rule == rules_.end() ? nullptr : LayoutOf(*rule);
    Modules ours;
    Modules theirs;
    for (std::uint32_t i = 0; i < tensors_.size(); ++i) {
      const TensorAnatomy& told = anatomy_.tensors[i];
      if (told.component != index || told.role != Role::kWeight) continue;
      Add(ours, told.local, {.tensor = i});
      if (ModuleOf(told.local).raw) raw_.insert(told.local);
      if (layout == nullptr) continue;
      const auto declared = std::ranges::find(rule->tensors, told.local, &TensorRule::name);
      if (declared == rule->tensors.end()) continue;
      for (const Placement& placement : PlaceIn(*layout, *declared, *rule)) {
        Add(theirs, placement.name,
            {i, placement.their_row, placement.our_row, placement.rows, placement.transposed});
      }
    }
    // OpenCLIP's projection is a raw parameter, and to Hugging Face a module that holds it
    // transposed.
    std::erase_if(ours, [&](const auto& item) {
      return raw_.contains(item.first) && theirs.contains(item.first);
    });
    for (const Modules* modules_in : {&ours, &theirs}) {
      for (const auto& [module, target] : *modules_in) AddAliases(module, target, beginnings);
    }
  }

  void AddAliases(const std::string& module, const AliasedModule& target,
                  const Beginnings& beginnings) {
    for (const std::string& beginning : beginnings.dotted) Put(beginning + module, target);
    const std::string flat = FlatName(module);
    for (const std::string& beginning : beginnings.flat) Put(beginning + flat, target);
    // PEFT wraps a language model, or its trunk alone.
    constexpr std::string_view kTrunk = "model.";
    if (module.starts_with(kTrunk)) {
      Put("base_model.model." + module.substr(kTrunk.size()), target);
    }
  }

  void Put(std::string alias, const AliasedModule& target) {
    const auto [at, added] = modules.try_emplace(std::move(alias), target);
    if (!added && !(at->second == target)) ambiguous.insert(at->first);
  }

  const Anatomy& anatomy_;
  std::span<const CheckpointTensor> tensors_;
  std::vector<ComponentRule> rules_;
  std::set<std::string> raw_;  ///< parameters that stand by themselves
};

/// The oddities that files have: wrappers that are left in, underscores too many.
std::optional<std::string> Tidied(std::string_view stem) {
  std::string tidy(stem);
  for (const std::string_view wrapper : {"module.", "_orig_mod.", "lora."}) {
    while (tidy.starts_with(wrapper)) tidy.erase(0, wrapper.size());
  }
  for (std::size_t at = tidy.find("_orig_mod."); at != std::string::npos;
       at = tidy.find("_orig_mod.")) {
    tidy.erase(at, std::string_view("_orig_mod.").size());
  }
  for (std::size_t at = tidy.find("__"); at != std::string::npos; at = tidy.find("__")) {
    tidy.erase(at, 1);
  }
  while (tidy.ends_with('_')) tidy.pop_back();
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
  TableMaker maker(anatomy, tensors);
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

}  // namespace weightsmith
