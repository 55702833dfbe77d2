#include "core/model/naming.h"

#include <algorithm>

namespace weightsmith::internal {

const Naming* NamingOf(const ComponentRule& component) {
  for (const Naming* naming : Namings()) {
    const auto known = [naming](const TensorRule& rule) { return rule.name == naming->known_by; };
    if (std::ranges::any_of(component.tensors, known)) return naming;
  }
  return nullptr;
}

bool Lacks(const Naming& naming, std::string_view canonical) {
  return std::ranges::find(naming.lacks, canonical) != naming.lacks.end();
}

std::vector<Placement> PlaceIn(const Naming& naming, const TensorRule& rule,
                               const ComponentRule& component) {
  std::vector<Placement> placements = naming.place(rule, component);
  if (placements.empty()) placements.push_back({.name = rule.name, .shape = rule.shape});
  for (Placement& placement : placements) {
    if (placement.shape.empty()) placement.shape = rule.shape;
  }
  return placements;
}

}  // namespace weightsmith::internal
