#include "core/model/rule_index.h"

#include <algorithm>

#include "core/model/monolithic_names.h"

namespace weightsmith::internal {

RuleIndex::RuleIndex(const Detection& detection) : detection_(detection) {
  if (detection.architecture != nullptr) components_ = detection.row->components();
  if (detection.part != nullptr) components_ = {detection.part_row->component()};
  for (std::uint32_t i = 0; i < components_.size(); ++i) AddComponent(i);
  // The longest prefix that fits is the right one; a bare model's empty one comes last.
  std::stable_sort(prefixes_.begin(), prefixes_.end(),
                   [](const auto& a, const auto& b) { return a.first.size() > b.first.size(); });
}

std::optional<RuleIndex::Place> RuleIndex::Find(std::string_view name) const {
  if (const auto found = beside_.find(std::string(name)); found != beside_.end()) {
    const auto [component, rule] = found->second;
    return At(component, rule, components_[component].tensors[rule].name);
  }
  for (const auto& [prefix, component] : prefixes_) {
    if (!name.starts_with(prefix)) continue;
    const std::string_view local = name.substr(prefix.size());
    if (const std::size_t rule = FindRule(component, local); rule != kNoRule) {
      return At(component, rule, std::string(local));
    }
    const auto known = [this, place = component](std::string_view alias) {
      return FindRule(place, alias) != kNoRule;
    };
    if (auto alias = ResolveAlias(components_[component], local, known)) {
      const std::size_t rule = FindRule(component, *alias);
      return At(component, rule, std::move(*alias));
    }
    return At(component, kNoRule, std::string(local));
  }
  return std::nullopt;
}

std::string RuleIndex::Canonical(std::uint32_t component, std::string_view local,
                                 bool beside) const {
  return MonolithicName(components_[component], local, beside);
}

void RuleIndex::AddComponent(std::uint32_t index) {
  const ComponentRule& component = components_[index];
  auto& rules = rules_.emplace_back();
  rules.reserve(component.tensors.size());
  for (std::size_t i = 0; i < component.tensors.size(); ++i) {
    rules.emplace(component.tensors[i].name, i);
  }
  for (const std::string& prefix : component.prefixes) {
    prefixes_.emplace_back(prefix, index);
    for (std::size_t i = 0; i < component.tensors.size(); ++i) {
      if (!component.tensors[i].beside) continue;
      beside_.emplace(std::string(PrefixBeside(prefix)).append(component.tensors[i].name),
                      std::pair(index, i));
    }
  }
  if (component.kind == ComponentKind::kBackbone && detection_.bare) {
    prefixes_.emplace_back("", index);
  }
  if (detection_.part != nullptr) prefixes_.emplace_back(detection_.prefix, index);
}

std::size_t RuleIndex::FindRule(std::uint32_t component, std::string_view local) const {
  const auto found = rules_[component].find(local);
  return found == rules_[component].end() ? kNoRule : found->second;
}

RuleIndex::Place RuleIndex::At(std::uint32_t component, std::size_t rule, std::string local) const {
  const bool beside = rule != kNoRule && components_[component].tensors[rule].beside;
  std::string canonical = Canonical(component, local, beside);
  return {component, rule, std::move(local), std::move(canonical)};
}

}  // namespace weightsmith::internal
