// Which file of a folder is its checkpoint.
#pragma once

#include <filesystem>

namespace weightsmith::internal {

/// The index of shards in `folder`, or its one checkpoint: model.safetensors or
/// diffusion_pytorch_model.safetensors, else the only .safetensors file, else what torch.save made
/// under the usual names. Throws kInput where there is none, or more than one could be meant,
/// naming them.
std::filesystem::path FindCheckpointFile(const std::filesystem::path& folder);

}  // namespace weightsmith::internal
