#include "core/io/output_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <limits>
#include <string>
#include <utility>

#include "core/error.h"
#include "core/io/system.h"
#include "core/text.h"

namespace weightsmith {
namespace {

namespace fs = std::filesystem;

// One system call writes at most this much: larger ones take the kernel much longer per byte.
constexpr std::size_t kMaxWrite = 512 * 1024;
// Smaller writes are left to the sync at the end: starting writeback would cost more than it gains.
constexpr std::size_t kMinWriteback = 64 * 1024;
constexpr std::uint64_t kStatBlock = 512;

bool IsFull(int error) {
  return error == ENOSPC || error == EDQUOT;
}

std::string Name(const fs::path& path) {
  return Quote(path.string());
}

fs::path FolderOf(const fs::path& target) {
  return target.has_parent_path() ? target.parent_path() : fs::path(".");
}

[[noreturn]] void ThrowFailed(std::string_view doing, const fs::path& path, int error) {
  throw Error(ErrorCode::kFailed,
              fmt::format("cannot {} {}: {}", doing, Name(path), SystemMessage(error)));
}

void PrepareFolder(const fs::path& target, bool make_folders) {
  const fs::path folder = FolderOf(target);
  std::error_code error;
  if (make_folders) {
    fs::create_directories(folder, error);
    if (error) ThrowFailed("make the folder", folder, error.value());
  } else if (!fs::is_directory(folder, error)) {
    throw Error(ErrorCode::kUsage, fmt::format("the folder {} does not exist", Name(folder)), {},
                {Option::kMakeFolders});
  }
}

/// Checks what stands under the target's name.
void ExpectReplaceable(const fs::path& target, bool overwrite) {
  struct stat status = {};
  if (::stat(target.c_str(), &status) == 0) {
    if (!S_ISREG(status.st_mode)) {
      throw Error(ErrorCode::kUsage,
                  fmt::format("{} is {}, and a file is to be written there", Name(target),
                              S_ISDIR(status.st_mode) ? "a folder" : "not a regular file"));
    }
  } else if (::lstat(target.c_str(), &status) != 0) {
    return;
  }
  if (!overwrite) {
    throw Error(ErrorCode::kUsage, fmt::format("{} already exists", Name(target)), {},
                {Option::kOverwrite});
  }
}

/// Opens and locks the partial. Without the lock two runs could write into each other's file.
FileHandle OpenLocked(const fs::path& partial) {
  while (true) {
    FileHandle handle(Retry([&] {
      return ::open(partial.c_str(), O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
    }));
    if (!handle) ThrowFailed("write", partial, errno);
    struct stat status = {};
    if (::fstat(handle.get(), &status) != 0) ThrowFailed("write", partial, errno);
    if (!S_ISREG(status.st_mode)) {
      throw Error(ErrorCode::kFailed,
                  fmt::format("cannot write {}: not a regular file", Name(partial)));
    }
    if (Retry([&] { return ::flock(handle.get(), LOCK_EX | LOCK_NB); }) != 0) {
      if (errno == EWOULDBLOCK) {
        throw Error(ErrorCode::kFailed, fmt::format("another process is writing {}", Name(partial)),
                    "Wait for it, or choose another output.");
      }
      // File systems without locks remain usable.
      if (errno != ENOLCK && errno != EOPNOTSUPP && errno != ENOSYS) {
        ThrowFailed("lock", partial, errno);
      }
    }
    // Its holder may have renamed or removed it between our opening and our locking it.
    const std::optional<FileIdentity> named = IdentifyFile(partial);
    if (named && named->SameFile(Identify(status))) return handle;
  }
}

std::uint64_t AllocatedBytes(int descriptor) {
  struct stat status = {};
  if (::fstat(descriptor, &status) != 0) return 0;
  return static_cast<std::uint64_t>(status.st_blocks) * kStatBlock;
}

std::uint64_t MissingBytes(int descriptor, std::uint64_t size) {
  const std::uint64_t allocated = AllocatedBytes(descriptor);
  return size > allocated ? size - allocated : 0;
}

void ExpectRoom(int descriptor, const fs::path& target, std::uint64_t size) {
  const std::uint64_t needed = MissingBytes(descriptor, size);
  const std::uint64_t free = FreeDiskBytes(FolderOf(target));
  if (needed <= free) return;
  throw Error(ErrorCode::kResources,
              fmt::format("not enough disk for {}: {} bytes ({}) are needed and {} bytes ({}) are "
                          "free",
                          Name(target), needed, FormatBytes(needed), free, FormatBytes(free)),
              "Free some space, or choose a folder on another disk.");
}

/// Gives the file its size, with the blocks claimed where that can be asked of the file system.
void Resize(int descriptor, const fs::path& partial, std::uint64_t size, bool reserve) {
  const auto length = static_cast<off_t>(size);
  if (reserve && size > 0) {
    if (Retry([&] { return ::fallocate(descriptor, 0, 0, length); }) == 0) return;
    if (IsFull(errno)) {
      throw Error(ErrorCode::kResources,
                  fmt::format("not enough disk for {}: {} bytes ({}) are needed", Name(partial),
                              size, FormatBytes(size)),
                  "Free some space, or choose a folder on another disk.");
    }
    if (errno != EOPNOTSUPP && errno != ENOSYS) ThrowFailed("reserve the bytes of", partial, errno);
  }
  if (Retry([&] { return ::ftruncate(descriptor, length); }) != 0) {
    ThrowFailed("size", partial, errno);
  }
}

void SyncFolder(const fs::path& folder) {
  const FileHandle handle(
      Retry([&] { return ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  // Some file systems have nothing to sync in a folder and say so with EINVAL.
  if (!handle || (Retry([&] { return ::fsync(handle.get()); }) != 0 && errno != EINVAL)) {
    ThrowFailed("sync the folder", folder, errno);
  }
}

/// Returns an errno.
int Rename(const fs::path& from, const fs::path& to) {
  return ::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
}

/// Renames without ever replacing a file; EEXIST where there is one. Returns an errno.
int RenameToNew(const fs::path& from, const fs::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  // A link fails where the name is taken; where there are no links, a look must do.
  if (::link(from.c_str(), to.c_str()) == 0) return ::unlink(from.c_str()) == 0 ? 0 : errno;
  if (errno == EEXIST) return errno;
  struct stat status = {};
  if (::lstat(to.c_str(), &status) == 0) return EEXIST;
  return Rename(from, to);
}

}  // namespace

struct OutputFile::State {
  fs::path target;
  fs::path partial;
  std::uint64_t size = 0;
  OutputOptions options;
  bool resumed = false;
  FileHandle handle;
};

OutputFile::OutputFile(fs::path target, std::uint64_t size, const OutputOptions& options, bool keep)
    : state_(std::make_unique<State>()) {
  State& state = *state_;
  state.target = std::move(target);
  state.partial = fs::path(state.target).concat(".partial");
  state.size = size;
  state.options = options;
  PrepareFolder(state.target, options.make_folders);
  ExpectReplaceable(state.target, options.overwrite);
  state.handle = OpenLocked(state.partial);
  const int descriptor = state.handle.get();
  try {
    struct stat status = {};
    if (::fstat(descriptor, &status) != 0) ThrowFailed("write", state.partial, errno);
    state.resumed = keep && size > 0 && static_cast<std::uint64_t>(status.st_size) == size;
    if (!state.resumed) Resize(descriptor, state.partial, 0, false);
    if (options.reserve) ExpectRoom(descriptor, state.target, size);
    Resize(descriptor, state.partial, size, options.reserve);
  } catch (const Error&) {
    // Work of an earlier run outlives a disk that is full today.
    if (!state.resumed) ::unlink(state.partial.c_str());
    throw;
  }
}

OutputFile::~OutputFile() = default;
OutputFile::OutputFile(OutputFile&&) noexcept = default;
OutputFile& OutputFile::operator=(OutputFile&&) noexcept = default;

const fs::path& OutputFile::target() const {
  return state_->target;
}
const fs::path& OutputFile::partial() const {
  return state_->partial;
}
std::uint64_t OutputFile::size() const {
  return state_->size;
}
bool OutputFile::resumed() const {
  return state_->resumed;
}

void OutputFile::Write(std::uint64_t offset, std::span<const std::byte> bytes) {
  const int descriptor = state_->handle.get();
  const std::uint64_t begin = offset;
  const std::size_t whole = bytes.size();
  while (!bytes.empty()) {
    const std::size_t piece = std::min(bytes.size(), kMaxWrite);
    const ssize_t count = Retry(
        [&] { return ::pwrite(descriptor, bytes.data(), piece, static_cast<off_t>(offset)); });
    if (count < 0 && IsFull(errno)) {
      const std::uint64_t missing = MissingBytes(descriptor, state_->size);
      throw Error(ErrorCode::kResources,
                  fmt::format("the disk is full: {} bytes ({}) are still needed for {}", missing,
                              FormatBytes(missing), Name(state_->partial)),
                  "Free that much; the same command goes on from there.");
    }
    if (count < 0) ThrowFailed("write", state_->partial, errno);
    offset += static_cast<std::uint64_t>(count);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  // Only a start: what fails here is reported by the sync of Commit.
  if (state_->options.sync && whole >= kMinWriteback) {
    ::sync_file_range(descriptor, static_cast<off_t>(begin), static_cast<off_t>(whole),
                      SYNC_FILE_RANGE_WRITE);
  }
}

void OutputFile::Read(std::uint64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const ssize_t count = Retry([&] {
      return ::pread(state_->handle.get(), out.data(), out.size(), static_cast<off_t>(offset));
    });
    if (count < 0) ThrowFailed("read back", state_->partial, errno);
    if (count == 0) {
      throw Error(ErrorCode::kFailed, fmt::format("{} ends at byte {} and should have {} bytes",
                                                  Name(state_->partial), offset, state_->size));
    }
    offset += static_cast<std::uint64_t>(count);
    out = out.subspan(static_cast<std::size_t>(count));
  }
}

bool OutputFile::Clone(const ByteSource& source, std::uint64_t from, std::uint64_t to,
                       std::uint64_t size) {
  // A length of 0 would mean "up to the end of the source".
  if (size == 0) return true;
  file_clone_range range = {};
  range.src_fd = source.descriptor();
  range.src_offset = from;
  range.src_length = size;
  range.dest_offset = to;
  // Whatever the reason for a failure, copying the bytes is right and meets any real error again.
  return Retry([&] { return ::ioctl(state_->handle.get(), FICLONERANGE, &range); }) == 0;
}

void OutputFile::Commit() {
  State& state = *state_;
  if (state.options.sync && Retry([&] { return ::fdatasync(state.handle.get()); }) != 0) {
    if (IsFull(errno)) {
      throw Error(ErrorCode::kResources,
                  fmt::format("the disk is full while syncing {}", Name(state.partial)));
    }
    ThrowFailed("sync", state.partial, errno);
  }
  struct stat replaced = {};
  if (state.options.overwrite && ::stat(state.target.c_str(), &replaced) == 0 &&
      ::fchmod(state.handle.get(), replaced.st_mode & 0777) != 0) {
    ThrowFailed("set the permissions of", state.partial, errno);
  }
  // Still open, and so still locked: between closing and renaming, another run could take the
  // partial over and empty it.
  const int error = state.options.overwrite ? Rename(state.partial, state.target)
                                            : RenameToNew(state.partial, state.target);
  if (error == EEXIST) {
    throw Error(
        ErrorCode::kUsage, fmt::format("{} has appeared in the meantime", Name(state.target)),
        fmt::format("The result is in {}. Rename it.", Name(state.partial)), {Option::kOverwrite});
  }
  if (error != 0) ThrowFailed("rename to", state.target, error);
  state.handle.Close();
  if (state.options.sync) SyncFolder(FolderOf(state.target));
}

void OutputFile::Discard() {
  if (!state_->handle) return;
  // Removed before the lock goes, so that it is ours and not another run's.
  ::unlink(state_->partial.c_str());
  state_->handle.Close();
}

void WriteFile(const fs::path& target, std::span<const std::byte> bytes,
               const OutputOptions& options) {
  OutputFile file(target, bytes.size(), options);
  try {
    file.Write(0, bytes);
  } catch (const Error&) {
    file.Discard();
    throw;
  }
  file.Commit();
}

std::uint64_t FreeDiskBytes(const fs::path& folder) {
  fs::path existing = folder.empty() ? fs::path(".") : folder;
  std::error_code ignored;
  while (!fs::exists(existing, ignored)) {
    if (!existing.has_parent_path() || existing.parent_path() == existing) {
      existing = existing.is_absolute() ? fs::path("/") : fs::path(".");
      break;
    }
    existing = existing.parent_path();
  }
  struct statvfs system = {};
  if (::statvfs(existing.c_str(), &system) != 0 || system.f_blocks == 0) {
    return std::numeric_limits<std::uint64_t>::max();
  }
  return std::uint64_t{system.f_bavail} * system.f_frsize;
}

}  // namespace weightsmith
