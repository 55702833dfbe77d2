// Shapes, and what is known of a tensor without its bytes: those of weightsmith/tensor.h.
#pragma once

#include "core/tensor/dtype.h"

namespace weightsmith::internal {

using weightsmith::ElementCount;
using weightsmith::Shape;
using weightsmith::TensorInfo;
using weightsmith::TensorView;
using weightsmith::ToString;

}  // namespace weightsmith::internal
