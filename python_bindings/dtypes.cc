#include "python_bindings/dtypes.h"

#include <algorithm>
#include <cstdint>

namespace weightsmith::internal::python {
namespace {

namespace nb = nanobind;
using enum nb::dlpack::dtype_code;

struct Row {
  DType dtype;
  const char* format;
  nb::dlpack::dtype_code code;
};

constexpr Row kRows[] = {
    {DType::kBool, "?", Bool},
    {DType::kU8, "B", UInt},
    {DType::kI8, "b", Int},
    {DType::kF8E5M2, nullptr, Float8_E5M2},
    {DType::kF8E4M3, nullptr, Float8_E4M3FN},
    {DType::kF8E8M0, nullptr, Float8_E8M0FNU},
    {DType::kF8E4M3Fnuz, nullptr, Float8_E4M3FNUZ},
    {DType::kF8E5M2Fnuz, nullptr, Float8_E5M2FNUZ},
    {DType::kI16, "h", Int},
    {DType::kU16, "H", UInt},
    {DType::kF16, "e", Float},
    {DType::kBF16, nullptr, Bfloat},
    {DType::kI32, "i", Int},
    {DType::kU32, "I", UInt},
    {DType::kF32, "f", Float},
    {DType::kC64, "Zf", Complex},
    {DType::kF64, "d", Float},
    {DType::kI64, "q", Int},
    {DType::kU64, "Q", UInt},
};

const Row* Find(DType dtype) {
  const auto* const row = std::ranges::find(kRows, dtype, &Row::dtype);
  return row == std::end(kRows) ? nullptr : row;
}

}  // namespace

const char* BufferFormat(DType dtype) {
  const Row* const row = Find(dtype);
  return row == nullptr ? nullptr : row->format;
}

std::optional<nb::dlpack::dtype> DlpackType(DType dtype) {
  const Row* const row = Find(dtype);
  if (row == nullptr) return std::nullopt;
  return nb::dlpack::dtype{static_cast<std::uint8_t>(row->code), Info(dtype).bits, 1};
}

std::optional<DType> DTypeOf(nb::dlpack::dtype type) {
  for (const Row& row : kRows) {
    if (DlpackType(row.dtype) == type) return row.dtype;
  }
  return std::nullopt;
}

}  // namespace weightsmith::internal::python
