#include "python_bindings/dlpack.h"

#include <cstdint>

namespace weightsmith::python {

namespace nb = nanobind;

std::optional<nb::dlpack::dtype> DlpackType(const DTypeInfo& info) {
  using enum nb::dlpack::dtype_code;
  const auto of = [&](nb::dlpack::dtype_code code) {
    return nb::dlpack::dtype{static_cast<std::uint8_t>(code), info.bits, 1};
  };
  switch (info.dtype) {
    case DType::kBF16:
      return of(Bfloat);
    case DType::kF8E4M3:
      return of(Float8_E4M3FN);
    case DType::kF8E5M2:
      return of(Float8_E5M2);
    case DType::kF8E8M0:
      return of(Float8_E8M0FNU);
    case DType::kF8E4M3Fnuz:
      return of(Float8_E4M3FNUZ);
    case DType::kF8E5M2Fnuz:
      return of(Float8_E5M2FNUZ);
    default:
      break;
  }
  if (info.bits < 8) return std::nullopt;
  switch (info.kind) {
    case DTypeKind::kBool:
      return of(Bool);
    case DTypeKind::kSigned:
      return of(Int);
    case DTypeKind::kUnsigned:
      return of(UInt);
    case DTypeKind::kFloat:
      return of(Float);
    case DTypeKind::kComplex:
      return of(Complex);
  }
  return std::nullopt;
}

std::optional<DType> DTypeOf(nb::dlpack::dtype type) {
  for (const DTypeInfo& info : DTypes()) {
    if (DlpackType(info) == type) return info.dtype;
  }
  return std::nullopt;
}

}  // namespace weightsmith::python
