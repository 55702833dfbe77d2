// Checkpoints that torch.save wrote: its zip archives, and the pickles one after the other of torch
// before 1.6. Nothing in them is executed; tensors are found and lie where they are.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/formats/checkpoint.h"
#include "core/formats/torch/other_readings.h"
#include "core/formats/torch/pickle.h"
#include "core/io/byte_source.h"

namespace weightsmith::internal {

/// By the first bytes; nothing for what is neither.
std::optional<TorchFormat> SniffTorch(std::string_view head);

struct TorchContents {
  std::vector<CheckpointTensor> tensors;  ///< of file 0
  std::vector<std::string> globals;  ///< that the pickle names: "torch._utils._rebuild_tensor_v2"
  std::vector<std::string> skipped;  ///< entries of the state dict that are no tensors
  std::string array_bytes;           ///< of numpy arrays: what tensors call file 1
};

/// The weights, or those under `key`. Throws kInput for what is malformed, TorchScript, big-endian,
/// holds no tensors, or what other programs could read as another file; kMismatch where the file
/// holds several dicts of tensors, or none under `key`.
TorchContents ReadTorch(const ByteSource& file, TorchFormat format, const std::string& key = {});

/// Reads and checks all but the tensors, and gives the pickle of the object. Throws as ReadTorch.
Pickle ExpectTorch(const ByteSource& file, TorchFormat format);

}  // namespace weightsmith::internal
