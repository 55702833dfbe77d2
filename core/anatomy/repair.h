// Known damage that can be undone without loss.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/anatomy/anatomy.h"
#include "core/checkpoint.h"

namespace weightsmith {

struct Repaired {
  std::shared_ptr<const Checkpoint> checkpoint;
  std::vector<std::string> tensors;  ///< names of those that were repaired
};

/// The checkpoint with every position_ids as 0, 1, 2 … in I64, in the shape that it has.
/// REQUIRES: the anatomy of that checkpoint.
Repaired WithRightPositions(const Checkpoint& checkpoint, const Anatomy& anatomy);

}  // namespace weightsmith
