// A family of adapters, as a declaration: one file each in families/. Which tensors a module of it
// has, what its rank is, and what it makes of a weight.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor/tensor.h"
#include "merge/adapters/adapter_role.h"

namespace weightsmith::internal {

/// The tensors of one module by role, as a header has them.
using AdapterShapes = std::map<AdapterRole, Shape>;

/// The size of an axis; 0 where the tensor or the axis is not there.
std::uint64_t AxisOf(const AdapterShapes& shapes, AdapterRole role, std::size_t axis);

/// A weight as a matrix [out, in · kernel].
struct MatrixSize {
  std::uint64_t rows = 0;
  std::uint64_t columns = 0;

  bool operator==(const MatrixSize&) const = default;
};
MatrixSize SizeAsMatrix(const Shape& shape);

/// Elements of all tensors of a module.
std::uint64_t ElementsOf(const AdapterShapes& shapes);

struct AdapterValues;
struct AdapterWeight;
class DeltaRows;

struct AdapterFamily {
  std::string_view id;     ///< "lora"
  std::string_view title;  ///< "LoRA"
  std::string_view source;
  std::string_view formula;  ///< of the result: "W + s·up·down"
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
  /// Whether alpha scales a module of these shapes; null: always.
  bool (*scaled)(const AdapterShapes& shapes) = nullptr;
  /// Whether the shapes are of this family, where roles do not decide; null: they do.
  bool (*accepts)(const AdapterShapes& shapes) = nullptr;
  /// The size of the weight that a module is for; an axis of 0 is any. Throws kMismatch where its
  /// tensors do not fit each other.
  MatrixSize (*size)(const AdapterShapes& shapes) = nullptr;
  /// What a module adds to the weight. Its values are there where `reads_weight` says so. Null: it
  /// changes nothing but a bias, or stands in the weight's place.
  std::unique_ptr<DeltaRows> (*rows)(const AdapterValues& values,
                                     const AdapterWeight& weight) = nullptr;
  /// Bytes that `rows` holds beside the values until its result is made, that included, for a
  /// weight of that size. Null: twice as many as the values.
  std::uint64_t (*bytes)(const AdapterShapes& shapes, const MatrixSize& weight) = nullptr;
  bool reads_weight = false;
  /// Whether what it adds is in proportion to the strength that it is added with; null: always.
  bool (*linear)(const AdapterShapes& shapes) = nullptr;
  /// The role of the tensor that stands in the weight's place.
  std::optional<AdapterRole> replaces = {};
};

/// Every family that is declared, sorted by file name.
std::span<const AdapterFamily* const> AdapterFamilies();

/// The family of a module, or null.
const AdapterFamily* FamilyOf(const AdapterShapes& shapes);

/// What a module of the family lacks to be whole, in words: "up", "lokr_w2, or lokr_w2_a and
/// lokr_w2_b". Nothing where it is whole.
std::optional<std::string> MissingIn(const AdapterFamily& family, const AdapterShapes& shapes);

/// Roles that the module has and that belong to no form of the family that it has whole.
std::vector<AdapterRole> ForeignIn(const AdapterFamily& family, const AdapterShapes& shapes);

}  // namespace weightsmith::internal
