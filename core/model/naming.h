// Other namings of components: which of their tensors lie where in the canonical ones. One
// declaration each in namings/. They serve both directions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/architecture.h"
#include "core/tensor/row_map.h"

namespace weightsmith::internal {

/// A tensor of the other naming, or rows of it, and the rows of a canonical tensor that it is.
struct Placement {
  std::string name{};  ///< inside the component, in the other naming
  Shape shape{};       ///< there; empty: as here
  RowMap rows{};
  bool transposed = false;   ///< of all: [a, b] there is [b, a] here
  std::string other_name{};  ///< that older files have instead; empty: none
};

struct Anatomy;
struct ComponentConfig;

struct Naming {
  std::string_view id;  ///< "diffusers", "hf"
  /// A canonical tensor that every component of this family has, to be told from others by.
  std::string_view known_by;
  /// Where the canonical tensor's rows are in the other naming, in order; empty: under its own
  /// name.
  std::vector<Placement> (*place)(const TensorRule& rule, const ComponentRule& component);
  /// The config.json of such a component; null where no loader wants one.
  ComponentConfig (*config)(const ComponentRule& rule, const Anatomy& anatomy) = nullptr;
  /// Canonical tensors that the other naming does not have.
  std::span<const std::string_view> lacks = {};
  /// Beginnings of names there, of which every file of a whole component has one: a file without
  /// any is not looked at further. None: the names are the same, or files in it are not looked for.
  std::span<const std::string_view> beginnings = {};
};

/// Whether the naming has no such tensor.
bool Lacks(const Naming& naming, std::string_view canonical);

/// Every naming that is declared, sorted by file name.
std::span<const Naming* const> Namings();

/// The naming that the component has beside its own, or null.
const Naming* NamingOf(const ComponentRule& component);

/// Where a canonical tensor is in the other naming, by its own name where nothing else is declared.
std::vector<Placement> PlaceIn(const Naming& naming, const TensorRule& rule,
                               const ComponentRule& component);

}  // namespace weightsmith::internal
