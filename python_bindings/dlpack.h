// Our dtypes as DLPack counts them.
#pragma once

#include <nanobind/ndarray.h>

#include <optional>

#include "core/dtype.h"

namespace weightsmith::python {

/// Nothing for elements below a byte.
std::optional<nanobind::dlpack::dtype> DlpackType(const DTypeInfo& info);

/// Nothing for what safetensors has no name for.
std::optional<DType> DTypeOf(nanobind::dlpack::dtype type);

}  // namespace weightsmith::python
