// A checkpoint without what only training needs.
#pragma once

#include <memory>

#include "core/formats/checkpoint.h"
#include "core/model/anatomy.h"

namespace weightsmith::internal {

/// Whether a tensor is an EMA copy, training state, or of no component. A marker of how the model
/// predicts is not.
bool IsPrunable(const Anatomy& anatomy, const TensorAnatomy& tensor);

/// The checkpoint without such tensors. REQUIRES: the anatomy of that checkpoint.
std::shared_ptr<const Checkpoint> Pruned(const Checkpoint& checkpoint, const Anatomy& anatomy);

}  // namespace weightsmith::internal
