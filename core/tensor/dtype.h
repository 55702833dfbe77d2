// Element types: the 22 names of safetensors, in its order (which is also the order of alignment
// that its writer sorts by).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace weightsmith::internal {

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
  bool has_codec;  ///< can be computed with: Decode and Encode take it
};

/// All of them, in the order of the enum.
std::span<const DTypeInfo> DTypes();
const DTypeInfo& Info(DType dtype);

/// The dtype of a safetensors header's name ("BF16"), exactly.
std::optional<DType> DTypeByName(std::string_view name);

/// The dtype that a person writes: any name or word, case ignored, and the usual other spellings
/// (fp16, float16, half, bfloat16, fp8, float8_e4m3fn …).
std::optional<DType> DTypeByWord(std::string_view word);
/// Every spelling of it that DTypeByWord reads, in lower case; its own word first.
std::vector<std::string_view> Spellings(DType dtype);

}  // namespace weightsmith::internal
