// Locks of whole files between processes. A lock belongs to an open file: it ends when that is
// closed, also by the end of its process.
#pragma once

#include <cstdint>
#include <filesystem>

namespace weightsmith::internal {

enum class FileLock : std::uint8_t {
  kAlone,   ///< nobody else has a lock on the file
  kShared,  ///< others share it
};

/// Locks an open file, in place of any lock that it has. Does not wait: false where another open
/// file excludes it, and then it has no lock. A file system without locks excludes nobody. `path`
/// is for messages. Throws kFailed.
[[nodiscard]] bool TryLock(int descriptor, const std::filesystem::path& path, FileLock lock);

/// Whether an open file, of whatever process, has the file at `path` alone.
[[nodiscard]] bool IsLocked(const std::filesystem::path& path);

}  // namespace weightsmith::internal
