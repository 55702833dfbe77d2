#include "core/anatomy/layout.h"

#include <algorithm>

namespace weightsmith {

const Layout* LayoutOf(const ComponentRule& component) {
  for (const Layout* layout : Layouts()) {
    const auto known = [layout](const TensorRule& rule) { return rule.name == layout->known_by; };
    if (std::ranges::any_of(component.tensors, known)) return layout;
  }
  return nullptr;
}

bool Lacks(const Layout& layout, std::string_view canonical) {
  return std::ranges::find(layout.lacks, canonical) != layout.lacks.end();
}

std::vector<Placement> PlaceIn(const Layout& layout, const TensorRule& rule,
                               const ComponentRule& component) {
  std::vector<Placement> placements = layout.place(rule, component);
  if (placements.empty()) placements.push_back({.name = rule.name, .shape = rule.shape});
  for (Placement& placement : placements) {
    if (placement.shape.empty()) placement.shape = rule.shape;
  }
  return placements;
}

}  // namespace weightsmith
