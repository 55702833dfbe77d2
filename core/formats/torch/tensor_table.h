// From a pickle of torch to the tensors that it describes: which storage each lies in, of what
// dtype and shape, and at which strides.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/formats/torch/pickle.h"
#include "core/tensor/dtype.h"
#include "core/tensor/tensor.h"

namespace weightsmith::internal {

/// A run of bytes that tensors are views of.
struct TorchStorage {
  std::optional<DType> dtype;  ///< nothing: untyped, counted in bytes
  std::uint64_t count = 0;     ///< elements

  std::uint64_t bytes() const { return count * (dtype ? Info(*dtype).bits / 8 : 1); }
};

struct TorchTensor {
  std::string name;
  std::string storage;  ///< key
  TensorInfo info;
  std::uint64_t offset = 0;            ///< of its first element in the storage, elements
  std::vector<std::uint64_t> strides;  ///< elements, one a dimension
  bool in_arrays = false;              ///< no storage: `offset` is bytes in `array_bytes`
};

struct TorchTable {
  std::vector<TorchTensor> tensors;              ///< in the pickle's order, names unique
  std::map<std::string, TorchStorage> storages;  ///< of everything that the pickle names
  std::vector<std::string> skipped;              ///< names of entries that are no tensors
  std::string array_bytes;  ///< of numpy arrays, which lie in the pickle itself
};

/// Finds the state dict (under `key`, or in what trainers wrap around it) and reads its tensors.
/// Throws kInput, naming the tensor, for one that is sparse, quantised or out of its storage's
/// bounds, and where there is no tensor at all; kMismatch as FindStateDict does.
TorchTable ReadTensorTable(const Pickle& pickle, const std::string& key = {});

/// Every storage that the pickle names, by key.
std::map<std::string, TorchStorage> ReadStorages(const Pickle& pickle);

}  // namespace weightsmith::internal
