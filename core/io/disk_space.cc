#include "core/io/disk_space.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <limits>
#include <system_error>

namespace weightsmith::internal {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kStatBlock = 512;

/// The folder, or the nearest parent of it that exists.
fs::path NearestFolder(const fs::path& folder) {
  fs::path existing = folder.empty() ? fs::path(".") : folder;
  std::error_code ignored;
  while (!fs::exists(existing, ignored)) {
    if (!existing.has_parent_path() || existing.parent_path() == existing) {
      return existing.is_absolute() ? fs::path("/") : fs::path(".");
    }
    existing = existing.parent_path();
  }
  return existing;
}

}  // namespace

std::uint64_t AllocatedBytes(const fs::path& path) {
  struct stat status = {};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return 0;
  return static_cast<std::uint64_t>(status.st_blocks) * kStatBlock;
}

std::uint64_t AllocatedBytes(int descriptor) {
  struct stat status = {};
  if (::fstat(descriptor, &status) != 0) return 0;
  return static_cast<std::uint64_t>(status.st_blocks) * kStatBlock;
}

std::uint64_t DeviceOf(const fs::path& folder) {
  struct stat status = {};
  return ::stat(NearestFolder(folder).c_str(), &status) == 0 ? status.st_dev : 0;
}

std::uint64_t FreeDiskBytes(const fs::path& folder) {
  struct statvfs system = {};
  if (::statvfs(NearestFolder(folder).c_str(), &system) != 0 || system.f_blocks == 0) {
    return std::numeric_limits<std::uint64_t>::max();
  }
  return std::uint64_t{system.f_bavail} * system.f_frsize;
}

}  // namespace weightsmith::internal
