// Encodings: how weights are stored as codes of few bits with scales beside them. One file each in
// encodings/, which is all of the program that a new one needs.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/tensor/dtype.h"
#include "core/tensor/grid.h"
#include "core/tensor/tensor.h"

namespace weightsmith::internal {

/// The weight is code times scale; it is written with scales that let the largest magnitude of each
/// cell fill the dtype of the codes.
struct Encoding {
  std::string_view id;      ///< "f8_scaled"
  std::string_view doc;     ///< one line
  std::string_view source;  ///< who writes it
  std::vector<DType> codes{};
  /// What the key of the scales has behind the module's name, where the weight's has ".weight".
  std::vector<std::string_view> scales{};
  /// Ends of keys that say something of the encoding and nothing that arithmetic needs: markers,
  /// scales of what goes into a layer. They mean nothing where weights are stored otherwise.
  std::vector<std::string_view> marks{};
  /// Which elements of the weight a scale is for; nothing where the shapes do not fit.
  std::optional<Grid> (*grid)(const Shape& weight, const Shape& scales) = nullptr;
};

/// All of them, by id.
std::span<const Encoding* const> Encodings();

/// For encodings with a scale for each `rows` × `columns` of a matrix.
std::optional<Grid> GridOfBlocks(const Shape& weight, const Shape& scales, std::uint64_t rows,
                                 std::uint64_t columns);

}  // namespace weightsmith::internal
