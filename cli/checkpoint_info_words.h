// What `info` says of checkpoints to people.
#pragma once

#include <string>
#include <vector>

#include "recipes/jobs/checkpoint_info.h"

namespace weightsmith {

/// A page about one checkpoint.
std::string InfoPage(const CheckpointInfo& info, bool tensors);

/// A line each, in columns.
std::string InfoLines(const std::vector<CheckpointInfo>& infos);

}  // namespace weightsmith
