#include "core/io/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include "core/io/output_target.h"
#include "core/io/system.h"

namespace weightsmith::internal {

bool TryLock(int descriptor, const std::filesystem::path& path, FileLock lock) {
  const int operation = lock == FileLock::kAlone ? LOCK_EX : LOCK_SH;
  if (Retry([&] { return ::flock(descriptor, operation | LOCK_NB); }) == 0) return true;
  if (errno == EWOULDBLOCK) return false;
  // File systems without locks remain usable.
  if (errno != ENOLCK && errno != EOPNOTSUPP && errno != ENOSYS) ThrowFailed("lock", path, errno);
  return true;
}

bool IsLocked(const std::filesystem::path& path) {
  constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  const FileHandle handle(Retry([&] { return ::open(path.c_str(), kFlags); }));
  return handle && !TryLock(handle.get(), path, FileLock::kShared);
}

}  // namespace weightsmith::internal
