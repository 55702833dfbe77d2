#include "core/tensor/dtype.h"

#include <array>
#include <string>
#include <utility>

namespace weightsmith {
namespace {

using enum DTypeKind;

// In the order of the enum.
constexpr std::array<DTypeInfo, 22> kDTypes = {{
    {DType::kBool, "BOOL", "bool", 8, kBool, false},
    {DType::kF4, "F4", "f4", 4, kFloat, false},
    {DType::kF6E2M3, "F6_E2M3", "f6_e2m3", 6, kFloat, false},
    {DType::kF6E3M2, "F6_E3M2", "f6_e3m2", 6, kFloat, false},
    {DType::kU8, "U8", "u8", 8, kUnsigned, false},
    {DType::kI8, "I8", "i8", 8, kSigned, false},
    {DType::kF8E5M2, "F8_E5M2", "f8_e5m2", 8, kFloat, true},
    {DType::kF8E4M3, "F8_E4M3", "f8_e4m3", 8, kFloat, true},
    {DType::kF8E8M0, "F8_E8M0", "f8_e8m0", 8, kFloat, false},
    {DType::kF8E4M3Fnuz, "F8_E4M3FNUZ", "f8_e4m3fnuz", 8, kFloat, false},
    {DType::kF8E5M2Fnuz, "F8_E5M2FNUZ", "f8_e5m2fnuz", 8, kFloat, false},
    {DType::kI16, "I16", "i16", 16, kSigned, false},
    {DType::kU16, "U16", "u16", 16, kUnsigned, false},
    {DType::kF16, "F16", "f16", 16, kFloat, true},
    {DType::kBF16, "BF16", "bf16", 16, kFloat, true},
    {DType::kI32, "I32", "i32", 32, kSigned, false},
    {DType::kU32, "U32", "u32", 32, kUnsigned, false},
    {DType::kF32, "F32", "f32", 32, kFloat, true},
    {DType::kC64, "C64", "c64", 64, kComplex, false},
    {DType::kF64, "F64", "f64", 64, kFloat, true},
    {DType::kI64, "I64", "i64", 64, kSigned, false},
    {DType::kU64, "U64", "u64", 64, kUnsigned, false},
}};

constexpr bool RowsFollowTheEnum() {
  for (std::size_t i = 0; i < kDTypes.size(); ++i) {
    if (static_cast<std::size_t>(kDTypes[i].dtype) != i) return false;
  }
  return true;
}
static_assert(RowsFollowTheEnum());

// What other programs call them, in lower case.
constexpr std::pair<std::string_view, DType> kAliases[] = {
    {"fp16", DType::kF16},
    {"float16", DType::kF16},
    {"half", DType::kF16},
    {"bfloat16", DType::kBF16},
    {"fp32", DType::kF32},
    {"float32", DType::kF32},
    {"float", DType::kF32},
    {"single", DType::kF32},
    {"full", DType::kF32},
    {"fp64", DType::kF64},
    {"float64", DType::kF64},
    {"double", DType::kF64},
    {"fp8", DType::kF8E4M3},
    {"fp8_e4m3", DType::kF8E4M3},
    {"fp8_e4m3fn", DType::kF8E4M3},
    {"f8_e4m3fn", DType::kF8E4M3},
    {"float8_e4m3", DType::kF8E4M3},
    {"float8_e4m3fn", DType::kF8E4M3},
    {"fp8_e5m2", DType::kF8E5M2},
    {"float8_e5m2", DType::kF8E5M2},
    {"float8_e4m3fnuz", DType::kF8E4M3Fnuz},
    {"float8_e5m2fnuz", DType::kF8E5M2Fnuz},
    {"float8_e8m0fnu", DType::kF8E8M0},
    {"complex64", DType::kC64},
    {"int8", DType::kI8},
    {"int16", DType::kI16},
    {"int32", DType::kI32},
    {"int64", DType::kI64},
    {"uint8", DType::kU8},
    {"uint16", DType::kU16},
    {"uint32", DType::kU32},
    {"uint64", DType::kU64},
};

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

}  // namespace

std::span<const DTypeInfo> DTypes() {
  return kDTypes;
}

const DTypeInfo& Info(DType dtype) {
  return kDTypes[static_cast<std::size_t>(dtype)];
}

std::optional<DType> DTypeByName(std::string_view name) {
  for (const DTypeInfo& info : kDTypes) {
    if (info.name == name) return info.dtype;
  }
  return std::nullopt;
}

std::optional<DType> DTypeByWord(std::string_view word) {
  const std::string lower = Lower(word);
  for (const DTypeInfo& info : kDTypes) {
    if (info.word == lower) return info.dtype;
  }
  for (const auto& [alias, dtype] : kAliases) {
    if (alias == lower) return dtype;
  }
  return std::nullopt;
}

std::vector<std::string_view> internal::Spellings(DType dtype) {
  std::vector<std::string_view> spellings{Info(dtype).word};
  for (const auto& [alias, meant] : kAliases) {
    if (meant == dtype) spellings.push_back(alias);
  }
  return spellings;
}

}  // namespace weightsmith
