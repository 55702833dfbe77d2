// What `info` says of checkpoints to people.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/tensor/dtype.h"
#include "recipes/jobs/checkpoint_info.h"

namespace weightsmith::internal {

/// "F16", or "F16 1,130, I64 1" where there are several: tensors by dtype.
std::string DTypeWords(const std::map<DType, std::uint64_t>& dtypes);

/// A page about one checkpoint.
std::string InfoPage(const CheckpointInfo& info, bool tensors);

/// A line each, in columns.
std::string InfoLines(const std::vector<CheckpointInfo>& infos);

}  // namespace weightsmith::internal
