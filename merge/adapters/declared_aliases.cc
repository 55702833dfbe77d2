#include "merge/adapters/declared_aliases.h"

#include <algorithm>
#include <set>
#include <utility>

namespace weightsmith::internal {
namespace {

/// Adds the tensors that the rule of that component lacks, or the whole rule.
void Join(ComponentRule more, std::vector<ComponentRule>& rules) {
  const auto known = std::ranges::find(rules, more.name, &ComponentRule::name);
  if (known == rules.end()) {
    rules.push_back(std::move(more));
    return;
  }
  std::set<std::string> names;
  for (const TensorRule& tensor : known->tensors) names.insert(tensor.name);
  for (TensorRule& tensor : more.tensors) {
    if (!names.contains(tensor.name)) known->tensors.push_back(std::move(tensor));
  }
}

std::vector<ComponentRule> AllRules(const Architecture* architecture,
                                    std::vector<ComponentRule> rules) {
  if (architecture == nullptr) return rules;
  for (const ArchitectureRow& row : architecture->rows) {
    if (row.scale != "full") continue;
    for (ComponentRule& rule : row.components()) Join(std::move(rule), rules);
  }
  return rules;
}

std::vector<AliasedTensor> TensorsOf(std::span<const ComponentRule> rules) {
  std::vector<AliasedTensor> tensors;
  for (const ComponentRule& rule : rules) {
    for (const TensorRule& tensor : rule.tensors) {
      if (tensor.role != Role::kWeight) continue;
      const auto number = static_cast<std::uint32_t>(tensors.size());
      tensors.push_back({rule.name, rule.kind, tensor.name, number});
    }
  }
  return tensors;
}

}  // namespace

DeclaredAliases::DeclaredAliases(const Architecture* architecture, std::vector<ComponentRule> rules)
    : tensors_(TensorsOf(AllRules(architecture, rules))),
      aliases_(tensors_, AllRules(architecture, std::move(rules))) {}

const AliasedTensor* DeclaredAliases::Find(std::string_view stem) const {
  const AliasedModule* module = aliases_.Find(stem);
  if (module == nullptr) return nullptr;
  const auto& pieces = module->weight.empty() ? module->bias : module->weight;
  return &tensors_[pieces.front().tensor];
}

}  // namespace weightsmith::internal
