// What checkpoints are, as JSON: what `info --json` prints. Scripts rely on its names.
#pragma once

#include <span>
#include <string>

#include "recipes/jobs/checkpoint_info.h"

namespace weightsmith::internal {

/// An object of one, a list of several; `tensors`: with every tensor.
/// recipes/schema/info.json describes it.
std::string InfoJson(const CheckpointInfo& info, bool tensors);
std::string InfoJson(std::span<const CheckpointInfo> infos, bool tensors);
/// Its schema, without "$schema".
std::string InfoSchema();

}  // namespace weightsmith::internal
