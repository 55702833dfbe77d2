// Checkpoints that torch.save wrote: its zip archives, and the pickles one after the other of torch
// before 1.6. Nothing in them is executed; tensors are found and lie where they are.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/checkpoint.h"
#include "core/io/byte_source.h"

namespace weightsmith {

enum class TorchFormat { kZip, kLegacy };

/// By the first bytes; nothing for what is neither.
std::optional<TorchFormat> SniffTorch(std::string_view head);

struct TorchContents {
  std::vector<CheckpointTensor> tensors;  ///< of file 0
  std::vector<std::string> globals;  ///< that the pickle names: "torch._utils._rebuild_tensor_v2"
  std::vector<std::string> skipped;  ///< entries of the state dict that are no tensors
};

/// Throws kInput for what is malformed, TorchScript, big-endian, or holds no tensors.
TorchContents ReadTorch(const ByteSource& file, TorchFormat format);

/// The pickles of a checkpoint as they lie in it: one, or of an old file the five before its data.
std::vector<std::string> ReadTorchPickles(const ByteSource& file, TorchFormat format);

}  // namespace weightsmith
