// A family of adapters, as a declaration: one file each in families/. Which tensors a module of it
// has, and what its rank is.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/adapters/adapter_role.h"
#include "core/tensor.h"

namespace weightsmith {

/// The tensors of one module by role, as a header tells them.
using AdapterShapes = std::map<AdapterRole, Shape>;

/// The size of an axis; 0 where the tensor or the axis is not there.
std::uint64_t AxisOf(const AdapterShapes& shapes, AdapterRole role, std::size_t axis);

struct AdapterValues;
class DeltaRows;

struct AdapterFamily {
  std::string_view id;     ///< "lora"
  std::string_view title;  ///< "LoRA"
  std::string_view source;
  /// A module is of the first family, by this number, that knows it.
  int precedence = 0;
  /// Roles of which any one says that a module is of the family.
  std::vector<AdapterRole> known_by;
  /// Sets of roles, of which one has to be there whole.
  std::vector<std::vector<AdapterRole>> forms;
  /// What may be there as well, beside what every family may have (alpha, scale, DoRA's
  /// magnitudes).
  std::vector<AdapterRole> optional = {};
  /// What alpha is divided by, 0 where the shapes are no such module's; null: alpha does not scale
  /// it.
  std::uint64_t (*rank)(const AdapterShapes& shapes) = nullptr;
  /// Whether the shapes are of this family, where roles do not tell; null: they do.
  bool (*accepts)(const AdapterShapes& shapes) = nullptr;
  /// What a module adds to a weight of that shape (see delta_rows.h); null for families that
  /// multiply the weight or stand in its place.
  std::unique_ptr<DeltaRows> (*rows)(const AdapterValues& values, const Shape& weight) = nullptr;
};

/// Every family that is declared, sorted by file name.
std::span<const AdapterFamily* const> AdapterFamilies();

/// The family of a module, or null.
const AdapterFamily* FamilyOf(const AdapterShapes& shapes);

/// What a module of the family lacks to be whole, in words: "up", "lokr_w2, or lokr_w2_a and
/// lokr_w2_b". Nothing where it is whole.
std::optional<std::string> MissingIn(const AdapterFamily& family, const AdapterShapes& shapes);

/// Roles that the module has and the family does not know.
std::vector<AdapterRole> ForeignIn(const AdapterFamily& family, const AdapterShapes& shapes);

}  // namespace weightsmith
