// Giving back what a file occupies that has no name any more.
#pragma once

#include <cstdint>

#include "core/io/system.h"

namespace weightsmith::internal {

/// Closes a file of so many bytes whose name was removed. What a large one occupies the system
/// releases in whoever closes it last, which takes seconds on some disks and cannot be ended: that
/// is a process of its own, which holds nothing else of ours, so that this one can end meanwhile.
/// Where there can be none, it is this one.
void ReleaseRemoved(FileHandle file, std::uint64_t size);

}  // namespace weightsmith::internal
