// Small tensors as numbers.
#pragma once

#include <vector>

#include "core/formats/checkpoint.h"

namespace weightsmith::internal {

/// All values of a tensor of integers, booleans or a float dtype with a codec; nothing for other
/// dtypes. For tensors of a few numbers: alphas, position ids.
std::vector<double> ReadNumbers(const Checkpoint& checkpoint, const CheckpointTensor& tensor);

}  // namespace weightsmith::internal
