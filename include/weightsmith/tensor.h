// What a tensor is without its bytes: an element type and a shape; and a view of one with them.
// Plain values, no ownership. Any thread. What is not known is nothing, never an exception, unless
// something else is said; memory may run out (std::bad_alloc).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weightsmith {

/// Element types: the 22 names of safetensors, in its order (which is also the order of alignment
/// that its writer sorts by).
enum class DType : std::uint8_t {
  kBool,
  kF4,
  kF6E2M3,
  kF6E3M2,
  kU8,
  kI8,
  kF8E5M2,
  kF8E4M3,
  kF8E8M0,
  kF8E4M3Fnuz,
  kF8E5M2Fnuz,
  kI16,
  kU16,
  kF16,
  kBF16,
  kI32,
  kU32,
  kF32,
  kC64,
  kF64,
  kI64,
  kU64,
};

enum class DTypeKind : std::uint8_t { kBool, kSigned, kUnsigned, kFloat, kComplex };

struct DTypeInfo {
  DType dtype;
  std::string_view name;  ///< as safetensors spells it: "F8_E4M3"
  std::string_view word;  ///< as recipes and the command line spell it: "f8_e4m3"
  std::uint8_t bits;
  DTypeKind kind;
  bool has_codec;  ///< can be computed with
};

/// All of them, in the order of the enum.
[[nodiscard]] std::span<const DTypeInfo> DTypes();
/// Never fails. REQUIRES: a value of the enum.
[[nodiscard]] const DTypeInfo& Info(DType dtype);

/// The dtype of a safetensors header's name ("BF16"), exactly; nothing for any other
/// text.
[[nodiscard]] std::optional<DType> DTypeByName(std::string_view name);

/// The dtype that a person writes: any name or word, case ignored, and the usual other spellings
/// (fp16, float16, half, bfloat16, fp8, float8_e4m3fn …). Nothing for any other text.
[[nodiscard]] std::optional<DType> DTypeByWord(std::string_view word);

/// The size of each axis, the slowest first; empty for a scalar.
using Shape = std::vector<std::uint64_t>;

/// The product of the dimensions (1 for rank 0); nothing where it exceeds 64 bits.
[[nodiscard]] std::optional<std::uint64_t> ElementCount(std::span<const std::uint64_t> shape);

/// "[320, 4, 3, 3]"; "[]" for rank 0.
[[nodiscard]] std::string ToString(std::span<const std::uint64_t> shape);

struct TensorInfo {
  DType dtype = DType::kF32;
  Shape shape;

  /// REQUIRES: a shape whose element count fits 64 bits, as that of every tensor of an opened file
  /// does; for another both throw std::bad_optional_access.
  [[nodiscard]] std::uint64_t elements() const;
  /// Size in bytes, rounded down; sub-byte dtypes fill whole bytes in every valid file.
  [[nodiscard]] std::uint64_t bytes() const;

  bool operator==(const TensorInfo&) const = default;
};

/// A tensor in memory of somebody else's: row-major, little-endian, of any alignment.
struct TensorView {
  DType dtype = DType::kF32;
  std::span<const std::uint64_t> shape;
  std::span<const std::byte> bytes;
};

}  // namespace weightsmith
