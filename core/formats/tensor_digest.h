// The digest of a tensor as it lies in a checkpoint.
#pragma once

#include <functional>
#include <span>

#include "core/formats/checkpoint.h"
#include "core/tensor/digest.h"

namespace weightsmith::internal {

/// Reads the tensor once, a block at a time, each of which `see` is shown, where it is given.
Digest DigestOf(const Checkpoint& checkpoint, const CheckpointTensor& tensor,
                const std::function<void(std::span<const std::byte>)>& see = {});

}  // namespace weightsmith::internal
