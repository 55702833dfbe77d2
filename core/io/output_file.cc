#include "core/io/output_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/io/disk_space.h"
#include "core/io/system.h"

namespace weightsmith::internal {
namespace {

namespace fs = std::filesystem;

// One system call writes at most this much: larger ones take the kernel much longer per byte.
constexpr std::size_t kMaxWrite = 512 * 1024;
// Smaller writes are left to the sync at the end: starting writeback would cost more than it gains.
constexpr std::size_t kMinWriteback = 64 * 1024;

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
                          QuotedPath(target), needed, FormatBytes(needed), free, FormatBytes(free)),
              "Free some space, or choose a folder on another disk.");
}

/// Gives the file its size, with the blocks claimed where that can be asked of the file system.
void Resize(int descriptor, const fs::path& partial, std::uint64_t size, bool reserve) {
  const auto length = static_cast<off_t>(size);
  const auto throw_full = [&](int error) {
    throw Error(ErrorCode::kResources,
                fmt::format("cannot write {}: {}; {} bytes ({}) are needed", QuotedPath(partial),
                            WhyFull(error), size, FormatBytes(size)),
                std::string(AdviceOfFull(error)));
  };
  if (reserve && size > 0) {
    if (Retry([&] { return ::fallocate(descriptor, 0, 0, length); }) == 0) return;
    if (IsFull(errno)) throw_full(errno);
    if (errno != EOPNOTSUPP && errno != ENOSYS) ThrowFailed("reserve the bytes of", partial, errno);
  }
  if (Retry([&] { return ::ftruncate(descriptor, length); }) != 0) {
    if (IsFull(errno)) throw_full(errno);
    ThrowFailed("size", partial, errno);
  }
}

/// Throws what a failed sync, or a close that had to write, means.
[[noreturn]] void ThrowUnsynced(const fs::path& partial, int error) {
  if (IsFull(error)) {
    throw Error(ErrorCode::kResources,
                fmt::format("cannot sync {}: {}", QuotedPath(partial), WhyFull(error)),
                std::string(AdviceOfFull(error)));
  }
  ThrowFailed("sync", partial, error);
}

/// Waits in pieces for the bulk of the data, so that a signal is heeded in between. Writes neither
/// the size of the file nor the disk's own cache: fdatasync still has to come.
void WaitForWriteback(int descriptor, const fs::path& partial, std::uint64_t size,
                      const std::function<bool()>& go_on) {
  constexpr std::uint64_t kStep = 16 << 20;  // a slow disk writes it while a person waits
  constexpr unsigned kWait =
      SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
  for (std::uint64_t at = 0; at < size; at += kStep) {
    if (!go_on()) throw Error(ErrorCode::kInterrupted, "interrupted");
    const auto count = static_cast<off_t>(std::min(kStep, size - at));
    if (Retry([&] {
          return ::sync_file_range(descriptor, static_cast<off_t>(at), count, kWait);
        }) == 0) {
      continue;
    }
    // Not every file system knows this call.
    if (IsFull(errno) || errno == EIO) ThrowUnsynced(partial, errno);
    return;
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
  bool created = false;  ///< by this object, and empty
  FileHandle handle;

  /// An empty file of ours is nothing that anybody goes on from.
  ~State() {
    if (handle && created) ::unlink(partial.c_str());
  }
};

OutputFile::OutputFile(std::unique_ptr<State> state) : state_(std::move(state)) {}

OutputFile OutputFile::OpenAsFound(fs::path target, std::uint64_t size,
                                   const OutputOptions& options) {
  std::unique_ptr<State> state = Prepare(std::move(target), size, options);
  state->handle = OpenLocked(state->partial, state->created);
  return OutputFile(std::move(state));
}

std::optional<OutputFile> OutputFile::TryOpenAsFound(fs::path target, std::uint64_t size,
                                                     const OutputOptions& options, FileLock lock) {
  std::unique_ptr<State> state = Prepare(std::move(target), size, options);
  state->handle = TryOpenLocked(state->partial, lock, state->created);
  if (!state->handle) return std::nullopt;
  return OutputFile(std::move(state));
}

std::unique_ptr<OutputFile::State> OutputFile::Prepare(fs::path target, std::uint64_t size,
                                                       const OutputOptions& options) {
  auto state = std::make_unique<State>();
  state->target = std::move(target);
  state->partial = fs::path(state->target).concat(".partial");
  state->size = size;
  state->options = options;
  ExpectWritable(state->target, options);
  if (options.make_folders) MakeFolder(state->target);
  return state;
}

OutputFile::OutputFile(fs::path target, std::uint64_t size, const OutputOptions& options)
    : OutputFile(OpenAsFound(std::move(target), size, options)) {
  try {
    Begin({});
  } catch (const Error&) {
    Discard();
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
FileIdentity OutputFile::identity() const {
  struct stat status = {};
  if (::fstat(state_->handle.get(), &status) != 0) ThrowFailed("read", state_->partial, errno);
  return Identify(status);
}

bool OutputFile::HasName() const {
  const std::optional<FileIdentity> named = IdentifyFile(state_->partial);
  return named && named->SameFile(identity());
}

bool OutputFile::Lock(FileLock lock) {
  return TryLock(state_->handle.get(), state_->partial, lock);
}

bool OutputFile::Holds(std::string_view stamp) const {
  if (identity().size != state_->size || stamp.size() > state_->size) return false;
  std::string start(stamp.size(), '\0');
  Read(0, std::as_writable_bytes(std::span(start)));
  return start == stamp;
}

void OutputFile::Begin(std::string_view stamp) {
  State& state = *state_;
  const int descriptor = state.handle.get();
  Resize(descriptor, state.partial, 0, false);
  // The stamp comes first: a file of this size without it is another run's.
  if (!stamp.empty()) Write(0, std::as_bytes(std::span(stamp)));
  if (state.options.reserve) ExpectRoom(descriptor, state.target, state.size);
  Resize(descriptor, state.partial, state.size, state.options.reserve);
  state.created = false;
}

void OutputFile::Continue() {
  State& state = *state_;
  if (state.options.reserve) ExpectRoom(state.handle.get(), state.target, state.size);
  Resize(state.handle.get(), state.partial, state.size, state.options.reserve);
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
      const int error = errno;
      const std::uint64_t missing = MissingBytes(descriptor, state_->size);
      throw Error(ErrorCode::kResources,
                  fmt::format("{}: {} bytes ({}) are still needed for {}", WhyFull(error), missing,
                              FormatBytes(missing), QuotedPath(state_->partial)),
                  std::string(AdviceOfFull(error)));
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
      throw Error(ErrorCode::kFailed,
                  fmt::format("{} ends at byte {} and should have {} bytes",
                              QuotedPath(state_->partial), offset, state_->size));
    }
    offset += static_cast<std::uint64_t>(count);
    out = out.subspan(static_cast<std::size_t>(count));
  }
}

void OutputFile::DropCache() const {
  ::posix_fadvise(state_->handle.get(), 0, 0, POSIX_FADV_DONTNEED);
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

void OutputFile::Flush(const std::function<bool()>& go_on) {
  if (!state_->options.sync) return;
  WaitForWriteback(state_->handle.get(), state_->partial, state_->size, go_on);
}

void OutputFile::Sync() {
  const int descriptor = state_->handle.get();
  if (state_->options.sync && Retry([&] { return ::fdatasync(descriptor); }) != 0) {
    ThrowUnsynced(state_->partial, errno);
  }
  // On a network's file system a close writes, and it is the close that reports what failed: this
  // one does so while the file is not yet under its name.
  FileHandle same(::dup(descriptor));
  if (same && ::close(same.Release()) != 0 && errno != EINTR) {
    ThrowUnsynced(state_->partial, errno);
  }
}

void OutputFile::Publish() {
  State& state = *state_;
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
    throw Error(ErrorCode::kUsage,
                fmt::format("{} has appeared in the meantime", QuotedPath(state.target)), {},
                {Option::kOverwrite});
  }
  if (error != 0) ThrowFailed("rename to", state.target, error);
  state.handle.Close();
}

void OutputFile::Commit() {
  Sync();
  Publish();
  if (state_->options.sync) SyncFolder(FolderOf(state_->target));
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
    file.Commit();
  } catch (const Error&) {
    file.Discard();
    throw;
  }
}

}  // namespace weightsmith::internal
