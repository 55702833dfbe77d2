// CLIP's position_ids, which are 0, 1, 2 … and which merges by other programs average or cast.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/formats/checkpoint.h"
#include "core/model/anatomy.h"

namespace weightsmith::internal {

/// What is wrong with the values, in a sentence; nothing where they are right, or too many to be
/// position_ids.
std::optional<std::string> DamageOfPositions(const Checkpoint& checkpoint,
                                             const CheckpointTensor& tensor);

struct Repaired {
  std::shared_ptr<const Checkpoint> checkpoint;
  std::vector<std::string> tensors;  ///< names of those that were repaired
};

/// The checkpoint with every position_ids as 0, 1, 2 … in I64, in the shape that it has.
/// REQUIRES: the anatomy of that checkpoint.
Repaired WithRightPositions(const Checkpoint& checkpoint, const Anatomy& anatomy);

}  // namespace weightsmith::internal
