#include "core/io/append_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/io/file_lock.h"
#include "core/io/output_target.h"

namespace weightsmith::internal {
namespace {

constexpr int kAppendFlags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;

}  // namespace

AppendFile::AppendFile(std::filesystem::path path, FileHandle handle)
    : path_(std::move(path)), handle_(std::move(handle)) {}

void AppendFile::Throw(std::string_view doing, int error) const {
  throw Error(IsFull(error) ? ErrorCode::kResources : ErrorCode::kFailed,
              fmt::format("cannot {} {}: {}", doing, Quote(path_.string()),
                          IsFull(error) ? WhyFull(error) : SystemMessage(error)),
              IsFull(error) ? std::string(AdviceOfFull(error)) : "");
}

std::optional<AppendFile> AppendFile::TryOpen(const std::filesystem::path& path) {
  while (true) {
    AppendFile file(path,
                    FileHandle(Retry([&] { return ::open(path.c_str(), kAppendFlags, 0666); })));
    if (!file.handle_) file.Throw("open", errno);
    if (!TryLock(file.handle_.get(), path, FileLock::kAlone)) return std::nullopt;
    // Its holder may have removed it between our opening and our locking it.
    if (file.HasName()) return file;
  }
}

bool AppendFile::HasName() const {
  struct stat status = {};
  if (::fstat(handle_.get(), &status) != 0) Throw("read", errno);
  const std::optional<FileIdentity> named = IdentifyFile(path_);
  return named && named->SameFile(Identify(status));
}

void AppendFile::Shorten(std::uint64_t size) {
  const auto length = static_cast<off_t>(size);
  if (Retry([&] { return ::ftruncate(handle_.get(), length); }) != 0) Throw("shorten", errno);
}

void AppendFile::Append(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = Retry([&] { return ::write(handle_.get(), text.data(), text.size()); });
    if (count < 0) Throw("write", errno);
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

void AppendFile::Sync() {
  if (Retry([&] { return ::fdatasync(handle_.get()); }) != 0) Throw("sync", errno);
  SyncFolder(path_.has_parent_path() ? path_.parent_path() : ".");
}

void ShortenFile(const std::filesystem::path& path, std::uint64_t size) {
  constexpr int kOpen = O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  const FileHandle handle(Retry([&] { return ::open(path.c_str(), kOpen); }));
  const auto length = static_cast<off_t>(size);
  if (!handle || Retry([&] { return ::ftruncate(handle.get(), length); }) != 0) {
    ThrowFailed("shorten", path, errno);
  }
}

void AppendFile::Remove() {
  // Removed before the lock goes, so that it is ours.
  if (handle_ && HasName()) ::unlink(path_.c_str());
  handle_.Close();
}

void AppendFile::RemoveEmpty() {
  struct stat status = {};
  if (handle_ && ::fstat(handle_.get(), &status) == 0 && status.st_size == 0) Remove();
}

}  // namespace weightsmith::internal
