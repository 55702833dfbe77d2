// Fused matrices and swapped halves, for the declarations of namings.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/naming.h"

namespace weightsmith::internal {

/// A matrix or bias whose rows are several tensors one after the other: names without their end
/// (".weight"), each with its number of rows.
struct FusedPart {
  std::string name;
  std::uint64_t rows;
};

inline std::vector<Placement> Fused(const TensorRule& rule, const std::vector<FusedPart>& parts,
                                    std::string_view end) {
  std::vector<Placement> placements;
  std::uint64_t row = 0;
  for (const FusedPart& part : parts) {
    Shape shape = rule.shape;
    shape[0] = part.rows;
    placements.push_back({.name = part.name + std::string(end),
                          .shape = std::move(shape),
                          .rows = {.ours = row, .count = part.rows}});
    row += part.rows;
  }
  return placements;
}

/// The two halves of the rows stand in the other order.
inline std::vector<Placement> Swapped(const TensorRule& rule, const std::string& name) {
  const std::uint64_t half = rule.shape[0] / 2;
  return {{.name = name, .shape = rule.shape, .rows = {.theirs = half, .ours = 0, .count = half}},
          {.name = name, .shape = rule.shape, .rows = {.theirs = 0, .ours = half, .count = half}}};
}

/// ".weight" of "a.b.weight", with the dot.
inline std::string_view End(std::string_view name) {
  return name.substr(name.rfind('.'));
}

}  // namespace weightsmith::internal
