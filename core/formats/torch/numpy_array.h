// Arrays of numpy in a pickle, which some programs save instead of tensors.
#pragma once

#include <optional>
#include <string>

#include "core/formats/torch/pickle.h"
#include "core/tensor/tensor.h"

namespace weightsmith::internal {

struct NumpyArray {
  std::string name;
  TensorInfo info;
  bool columns_first = false;  ///< the order of Fortran
  std::string bytes;
};

/// Whether the value is an array, of any dtype.
bool IsNumpyArray(const Pickle& pickle, PickleRef ref);

/// Reads it. Throws kInput, naming `name`, for a dtype that safetensors does not have, another byte
/// order than little, or a number of bytes that does not fit the shape. REQUIRES: it is one.
NumpyArray ReadNumpyArray(const Pickle& pickle, PickleRef ref, const std::string& name);

}  // namespace weightsmith::internal
