#include "core/io/output_target.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/io/byte_source.h"

namespace weightsmith::internal {
namespace {

namespace fs = std::filesystem;

/// Checks the folder of a target, or what would become it.
void ExpectFolder(const fs::path& target, bool make_folders) {
  fs::path folder = FolderOf(target);
  struct stat status = {};
  while (::stat(folder.c_str(), &status) != 0) {
    if (errno != ENOENT && errno != ENOTDIR) ThrowFailed("use the folder", folder, errno);
    if (!make_folders) {
      throw Error(ErrorCode::kUsage,
                  fmt::format("the folder {} does not exist", QuotedPath(folder)), {},
                  {Option::kMakeFolders});
    }
    if (!folder.has_parent_path() || folder.parent_path() == folder) return;
    folder = folder.parent_path();
  }
  if (S_ISDIR(status.st_mode)) return;
  throw Error(ErrorCode::kUsage, fmt::format("{} is no folder, and {} is to be written in it",
                                             QuotedPath(folder), QuotedPath(target)));
}

/// Checks what stands under the target's name.
void ExpectReplaceable(const fs::path& target, bool overwrite) {
  struct stat status = {};
  if (::stat(target.c_str(), &status) == 0) {
    if (!S_ISREG(status.st_mode)) {
      throw Error(ErrorCode::kUsage,
                  fmt::format("{} is {}, and a file is to be written there", QuotedPath(target),
                              S_ISDIR(status.st_mode) ? "a folder" : "not a regular file"));
    }
  } else if (::lstat(target.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return;
    ThrowFailed("write", target, errno);
  }
  if (!overwrite) {
    throw Error(ErrorCode::kUsage, fmt::format("{} already exists", QuotedPath(target)), {},
                {Option::kOverwrite});
  }
}

/// A symlink, a pipe or a device is not written into.
void ExpectRegularOrNothing(const fs::path& path) {
  struct stat status = {};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return;
    ThrowFailed("write", path, errno);
  }
  if (S_ISREG(status.st_mode)) return;
  const std::string_view found = S_ISLNK(status.st_mode)   ? "a symbolic link"
                                 : S_ISDIR(status.st_mode) ? "a folder"
                                                           : "not a regular file";
  throw Error(ErrorCode::kUsage,
              fmt::format("{} is {}, and a file is to be written there", QuotedPath(path), found),
              "Remove it, or choose another output.");
}

}  // namespace

[[noreturn]] void ThrowFailed(std::string_view doing, const fs::path& path, int error) {
  throw Error(ErrorCode::kFailed,
              fmt::format("cannot {} {}: {}", doing, QuotedPath(path), SystemMessage(error)));
}

fs::path FolderOf(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

void ExpectWritable(const fs::path& target, const OutputOptions& options) {
  if (!target.has_filename()) {
    throw Error(ErrorCode::kUsage, fmt::format("{} names no file", QuotedPath(target)));
  }
  ExpectFolder(target, options.make_folders);
  ExpectReplaceable(target, options.overwrite);
  ExpectRegularOrNothing(fs::path(target).concat(".partial"));
}

void RemoveFile(const fs::path& path, bool sync) {
  if (::unlink(path.c_str()) != 0) {
    if (errno == ENOENT) return;
    ThrowFailed("remove", path, errno);
  }
  if (sync) SyncFolder(FolderOf(path));
}

void SyncFolder(const fs::path& folder) {
  const FileHandle handle(
      Retry([&] { return ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  // Some file systems have nothing to sync in a folder and say so with EINVAL.
  if (!handle || (Retry([&] { return ::fsync(handle.get()); }) != 0 && errno != EINVAL)) {
    ThrowFailed("sync the folder", folder, errno);
  }
}

void MakeFolder(const fs::path& target) {
  std::error_code error;
  fs::create_directories(FolderOf(target), error);
  if (error) ThrowFailed("make the folder", FolderOf(target), error.value());
}

FileHandle TryOpenLocked(const fs::path& partial, FileLock lock, bool& created) {
  while (true) {
    ExpectRegularOrNothing(partial);
    constexpr int kFlags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    FileHandle handle(Retry([&] { return ::open(partial.c_str(), kFlags); }));
    created = false;
    if (!handle && errno == ENOENT) {
      if (lock == FileLock::kShared) return {};
      handle = FileHandle(
          Retry([&] { return ::open(partial.c_str(), kFlags | O_CREAT | O_EXCL, 0666); }));
      if (!handle && errno == EEXIST) continue;
      created = static_cast<bool>(handle);
    }
    if (!handle) ThrowFailed("write", partial, errno);
    struct stat status = {};
    if (::fstat(handle.get(), &status) != 0) ThrowFailed("write", partial, errno);
    if (!TryLock(handle.get(), partial, lock)) return {};
    // Its holder may have renamed or removed it between our opening and our locking it.
    const std::optional<FileIdentity> named = IdentifyFile(partial);
    if (named && named->SameFile(Identify(status))) return handle;
  }
}

FileHandle OpenLocked(const fs::path& partial, bool& created) {
  FileHandle handle = TryOpenLocked(partial, FileLock::kAlone, created);
  if (handle) return handle;
  throw Error(ErrorCode::kFailed, fmt::format("another process is writing {}", QuotedPath(partial)),
              "Wait for it, or choose another output.");
}

}  // namespace weightsmith::internal
