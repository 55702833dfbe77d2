// Encodings: how weights are stored as codes of few bits with scales beside them. One file each in
// encodings/, which is all of the program that a new one needs.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/tensor/dtype.h"
#include "core/tensor/grid.h"
#include "core/tensor/tensor.h"

namespace weightsmith::internal {

/// A tensor that belongs to codes, by how its name ends.
struct EncodingCompanion {
  enum class Use : std::uint8_t {
    /// Numbers that the codes are multiplied by.
    kScales,
    /// What arithmetic does not need, such as the scale of what goes into a layer. It means nothing
    /// where weights are stored otherwise.
    kMark,
    /// The same of all weights of a component: its name there.
    kMarker,
  };
  /// Behind the module's name, where the weight's has kWeightEnd; of a marker, all of the name.
  std::string_view end;
  Use use = Use::kScales;
  /// What a file that has it is said to be stored as, whatever its codes are. Empty: the name means
  /// something beside codes alone.
  std::string_view scheme{};
};

/// The end of the key of what is stored as codes.
inline constexpr std::string_view kWeightEnd = ".weight";

/// The weight is code times scale; it is written with scales that let the largest magnitude of each
/// cell fill the dtype of the codes.
struct Encoding {
  std::string_view id;      ///< "f8_scaled"
  std::string_view doc;     ///< one line
  std::string_view source;  ///< who writes it
  std::vector<DType> codes{};
  std::vector<EncodingCompanion> companions{};
  /// Which elements of the weight a scale is for; nothing where the shapes do not fit.
  std::optional<Grid> (*grid)(const Shape& weight, const Shape& scales) = nullptr;
  /// The shape of the scales that a plain weight gets, which are f32; nothing where it cannot be
  /// stored so.
  std::optional<Shape> (*scales_of)(const Shape& weight) = nullptr;
};

/// How a tensor is stored: plain values of a dtype, or codes of it in an encoding.
struct StoredAs {
  StoredAs(DType plain)
      : dtype(plain) {}  // NOLINT(google-explicit-constructor): every dtype is one
  explicit StoredAs(const Encoding& encoded) : dtype(encoded.codes.front()), encoding(&encoded) {}

  DType dtype;
  const Encoding* encoding = nullptr;

  bool operator==(const StoredAs&) const = default;
};

/// "f8_block128", or what DTypeByWord reads.
std::optional<StoredAs> StoredAsByWord(std::string_view word);

/// The words of all that can be written: "f16", "f8_block128".
std::vector<std::string_view> StorableWords();

/// "f8_block128", "f16".
std::string_view WordOf(const StoredAs& stored);

/// The end of the key of the scales that are written, and the marker of a component that has some;
/// empty where the encoding has no marker.
std::string_view WrittenScales(const Encoding& encoding);
std::string_view WrittenMarker(const Encoding& encoding);

/// All of them, by id.
std::span<const Encoding* const> Encodings();

/// Whether the encoding has scales whose key ends so, behind the module's name.
bool HasScales(const Encoding& encoding, std::string_view end);

/// The scheme of a tensor that some encoding has beside codes, by its name alone.
std::optional<std::string_view> CompanionScheme(std::string_view name);

/// Whether the tensor says something of how weights are stored, and so means nothing where they are
/// stored otherwise.
bool IsEncodingMark(std::string_view name);

/// The names of markers in a component.
std::vector<std::string_view> EncodingMarkers();

/// For encodings with a scale for each `rows` × `columns` of a matrix.
std::optional<Grid> GridOfBlocks(const Shape& weight, const Shape& scales, std::uint64_t rows,
                                 std::uint64_t columns);

}  // namespace weightsmith::internal
