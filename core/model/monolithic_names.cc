#include "core/model/monolithic_names.h"

#include <unordered_map>

namespace weightsmith::internal {

std::string_view PrefixBeside(std::string_view prefix) {
  constexpr std::string_view kModule = "transformer.";
  return prefix.ends_with(kModule) ? prefix.substr(0, prefix.size() - kModule.size()) : prefix;
}

std::string MonolithicName(const ComponentRule& component, std::string_view local, bool beside) {
  const std::string_view prefix = component.prefixes.front();
  return std::string(beside ? PrefixBeside(prefix) : prefix).append(local);
}

void NameWithin(Anatomy& part, const ArchitectureRow& parent) {
  if (part.part == nullptr) return;
  for (const ComponentRule& component : parent.components()) {
    if (component.name != part.part->id) continue;
    std::unordered_map<std::string_view, const TensorRule*> rules;
    for (const TensorRule& rule : component.tensors) rules.emplace(rule.name, &rule);
    for (TensorAnatomy& tensor : part.tensors) {
      const auto rule = rules.find(tensor.local);
      if (rule == rules.end()) continue;
      tensor.canonical = MonolithicName(component, tensor.local, rule->second->beside);
    }
  }
}

}  // namespace weightsmith::internal
