// One reading of a checkpoint's tensors: their digests, and values that are not finite.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/formats/checkpoint.h"
#include "core/io/hash.h"
#include "merge/run/executor.h"

namespace weightsmith::internal {

struct ScannedTensor {
  std::string name;
  TensorInfo info;
  Digest digest;
  std::uint64_t non_finite = 0;  ///< of a floating dtype that can be decoded
};

/// Reads every tensor once, in the order of names, watched and stopped as `options` say.
std::vector<ScannedTensor> ScanTensors(const Checkpoint& checkpoint, const RunOptions& options);

}  // namespace weightsmith::internal
