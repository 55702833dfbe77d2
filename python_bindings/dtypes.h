// Our dtypes as other packages know them: the struct module's letters, which the buffer protocol
// speaks, and DLPack's types.
#pragma once

#include <nanobind/ndarray.h>

#include <optional>

#include "core/tensor/dtype.h"

namespace weightsmith::internal::python {

/// "e" for F16; null where there is no letter.
const char* BufferFormat(DType dtype);

/// Nothing for elements below a byte.
std::optional<nanobind::dlpack::dtype> DlpackType(DType dtype);

/// Nothing for what safetensors has no name for.
std::optional<DType> DTypeOf(nanobind::dlpack::dtype type);

}  // namespace weightsmith::internal::python
